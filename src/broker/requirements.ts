import type { JetStreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { fault } from '../error/millrace-error.js'
import { asFault } from './api-error.js'

/** JetStream API level of nats-server 2.14: atomic batches, schedules, consumer reset (ADR-44, ADR-50, ADR-51). */
export const REQUIRED_API_LEVEL = 4

/** What is known of the connected server. */
export interface ServerFacts {
  readonly version: string
  readonly apiLevel: number
  /** Largest message, headers included, in bytes: that of the server of now, which need not be the one of before. */
  readonly maxPayload: number
  readonly cluster: string | undefined
}

/**
 * Reads the server’s facts and refuses a server that would accept what Millrace asks for and silently not do it:
 * servers before 2.14 drop unknown stream flags without an error.
 * @throws BROKER_TOO_OLD, JETSTREAM_DISABLED
 */
export async function checkRequirements(nats: NatsConnection, manager: JetStreamManager): Promise<ServerFacts> {
  const version = nats.info?.version ?? 'unknown'
  let apiLevel: number
  try {
    const account = await manager.getAccountInfo()
    apiLevel = account.api.level ?? 0
  } catch (error) {
    const known = asFault(error, `asking nats-server ${version} for its JetStream account`)
    throw known.code === 'NO_STREAM_FOR_SUBJECT' ? fault('JETSTREAM_DISABLED', known.detail, { cause: error }) : known
  }
  if (apiLevel < REQUIRED_API_LEVEL)
    throw fault('BROKER_TOO_OLD', `nats-server ${version} has API level ${apiLevel}, needed is ${REQUIRED_API_LEVEL}`)
  let maxPayload = nats.info?.max_payload ?? 1_048_576
  return {
    version,
    apiLevel,
    cluster: nats.info?.cluster,
    get maxPayload() {
      return (maxPayload = nats.info?.max_payload ?? maxPayload)
    },
  }
}
