// Admission as processes have it, on a server.
import type { Connection } from '../../../src/broker/connection.ts'
import type { AskedCall, Permit } from '../../../src/job/admission.ts'
import { SharedAdmission } from '../../../src/job/limits/shared-admission.ts'
import { readModels, type ModelsConfig } from '../../../src/job/models-config.ts'
import { NO_USAGE, type Usage } from '../../../src/job/usage.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { atEnd } from '../../support/cleanup.ts'
import { callOf, NEVER } from './gates.ts'

/** A token in costs a millionth, a token out five. */
export const PRICES = {
  version: '1',
  currency: 'USD',
  models: { 'm*': { input: 1, output: 5, cacheRead: 0.1, cacheWrite5m: 1.25, cacheWrite1h: 2, terms: { batch: 0.5 } } },
}

export interface AdmissionOptions {
  readonly connection: Connection
  readonly models?: object | undefined
  readonly now?: () => number
  readonly credential?: string
  /** What is going to be called. */
  readonly calls?: readonly { readonly model: string; readonly maxTokens: number }[]
}

let count = 0

/** Of a process of its own. */
export async function admissionOf({ connection, models, now = Date.now, credential, calls = [] }: AdmissionOptions) {
  const config: ModelsConfig | undefined = models === undefined ? undefined : readModels(models)
  const admission = await SharedAdmission.open({
    connection,
    clock: systemClock,
    log: silentLog,
    now,
    chance: Math.random,
    replicas: 1,
    owner: `o${count++}`,
    credential: credential ?? `key ${count}`,
    models: config,
    calls,
  })
  atEnd(() => admission.stop())
  return admission
}

/** A call that is admitted. */
export async function admitted(admission: SharedAdmission, more: Partial<AskedCall> = {}): Promise<Permit> {
  const verdict = await admission.admit(callOf({ name: 'triage', ...more }), NEVER)
  if (verdict.kind !== 'admitted') throw new Error(JSON.stringify(verdict))
  return verdict.permit
}

export function billed(usage: Partial<Usage>) {
  return { usage: { ...NO_USAGE, ...usage }, estimated: false, model: 'm-20261001', requestId: undefined }
}
