import { ACTOR_ERRORS } from './codes/actor.js'
import { AUDIT_ERRORS } from './codes/audit.js'
import { BACKTEST_ERRORS } from './codes/backtest.js'
import { BROKER_ERRORS } from './codes/broker.js'
import { CEP_ERRORS } from './codes/cep.js'
import { CONTRACTS_ERRORS } from './codes/contracts.js'
import { DELIVERY_ERRORS } from './codes/delivery.js'
import { EDGES_ERRORS } from './codes/edges.js'
import { EVENT_ERRORS } from './codes/event.js'
import { GENERAL_ERRORS } from './codes/general.js'
import { JOB_ERRORS } from './codes/jobs.js'
import { KEYED_ERRORS } from './codes/keyed.js'
import { OUTBOX_ERRORS } from './codes/outbox.js'
import { OWNERSHIP_ERRORS } from './codes/ownership.js'
import { PARKING_ERRORS } from './codes/parking.js'
import { PARTITIONS_ERRORS } from './codes/partitions.js'
import { PERSONAL_ERRORS } from './codes/personal.js'
import { PIPELINE_ERRORS } from './codes/pipeline.js'
import { PROCESSING_ERRORS } from './codes/processing.js'
import { RUNTIME_ERRORS } from './codes/runtime.js'
import { SCHEDULE_ERRORS } from './codes/schedules.js'
import { SERVER_ERRORS } from './codes/server.js'
import { TIME_ERRORS } from './codes/time.js'
import { VERIFY_ERRORS } from './codes/verify.js'
import { VIEW_ERRORS } from './codes/view.js'
import type { ErrorEntry } from './disposition.js'

/** Every error that Millrace raises. docs/errors.md is tested against this table. */
export const CATALOGUE = {
  ...GENERAL_ERRORS,
  ...EVENT_ERRORS,
  ...CONTRACTS_ERRORS,
  ...BROKER_ERRORS,
  ...SERVER_ERRORS,
  ...CEP_ERRORS,
  ...PROCESSING_ERRORS,
  ...PARKING_ERRORS,
  ...PARTITIONS_ERRORS,
  ...PIPELINE_ERRORS,
  ...OWNERSHIP_ERRORS,
  ...KEYED_ERRORS,
  ...RUNTIME_ERRORS,
  ...TIME_ERRORS,
  ...VERIFY_ERRORS,
  ...BACKTEST_ERRORS,
  ...ACTOR_ERRORS,
  ...PERSONAL_ERRORS,
  ...AUDIT_ERRORS,
  ...VIEW_ERRORS,
  ...DELIVERY_ERRORS,
  ...OUTBOX_ERRORS,
  ...EDGES_ERRORS,
  ...SCHEDULE_ERRORS,
  ...JOB_ERRORS,
} as const satisfies Record<string, ErrorEntry>

/** A code from the catalogue. */
export type ErrorCode = keyof typeof CATALOGUE
