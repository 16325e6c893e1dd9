// Endpoints of webhooks that have said that they are gone (410), in a bucket that all processes share. One that is there is
// called no more, until somebody takes it out again.
import { createHash } from 'node:crypto'
import { bucketReaderOf } from '../../broker/bucket-reader.js'
import type { Connection } from '../../broker/connection.js'
import { ensureBucket, readBucket, writeBucket } from '../../broker/history-bucket.js'
import { readLast } from '../../broker/last-message.js'
import { isFault } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import { shownTarget } from './webhook-target.js'

const BUCKET = 'millrace_webhooks'

/** An endpoint that is called no more. */
export interface DisabledEndpoint {
  /** Without what is behind the question mark. */
  readonly url: string
  /** In ms since the Unix epoch. */
  readonly since: number
}

/** Makes the bucket. @throws errors of the broker */
export async function ensureEndpoints(connection: Connection, replicas: number): Promise<void> {
  const description = 'Endpoints of webhooks that are gone (410), and are called no more'
  await ensureBucket(connection, { bucket: BUCKET, description, replicas, history: 1 })
}

/** Whether it was disabled. @param maxAge how old the answer may be, in ms @throws errors of the broker */
export async function isDisabled(
  connection: Connection,
  clock: Clock,
  { webhook, url, maxAge }: { readonly webhook: string; readonly url: URL; readonly maxAge: number },
): Promise<boolean> {
  return (await bucketReaderOf(connection, BUCKET, clock).get(keyOf(webhook, url), maxAge)) !== undefined
}

/** Disables it; where that cannot be stored, the next event finds out anew. */
export async function disable(
  connection: Connection,
  log: Log,
  { webhook, url, now }: { readonly webhook: string; readonly url: URL; readonly now: number },
): Promise<void> {
  const disabled: DisabledEndpoint = { url: shownTarget(url), since: now }
  log.warn({ webhook, url: disabled.url }, 'the endpoint says that it is gone (410): it is called no more')
  try {
    const data = Buffer.from(JSON.stringify(disabled))
    const key = keyOf(webhook, url)
    const last = await readLast(connection, `KV_${BUCKET}`, `$KV.${BUCKET}.${key}`)
    // when another process was first, it has said the same
    await writeBucket(connection, BUCKET, { key, data, expected: last?.sequence ?? 0 })
  } catch (error) {
    if (!isFault(error)) throw error
    log.warn({ webhook, code: error.code, detail: error.detail }, 'that an endpoint is gone could not be stored')
  }
}

/** Those of a webhook. No bucket: none. @throws errors of the broker */
export async function readDisabled(
  connection: Connection,
  clock: Clock,
  webhook: string,
): Promise<readonly DisabledEndpoint[]> {
  return (await entriesOf(connection, clock, webhook)).map(({ endpoint }) => endpoint)
}

/** Has all of a webhook called again. @returns those that were disabled @throws errors of the broker */
export async function enableAll(
  connection: Connection,
  clock: Clock,
  webhook: string,
): Promise<readonly DisabledEndpoint[]> {
  const found = await entriesOf(connection, clock, webhook)
  for (const { key, sequence } of found)
    await writeBucket(connection, BUCKET, { key, data: undefined, expected: sequence })
  return found.map(({ endpoint }) => endpoint)
}

async function entriesOf(
  connection: Connection,
  clock: Clock,
  webhook: string,
): Promise<readonly { readonly key: string; readonly sequence: number; readonly endpoint: DisabledEndpoint }[]> {
  const { entries } = await readBucket(connection, clock, BUCKET, `${webhook}.>`)
  return entries.flatMap(({ key, sequence, data }) =>
    data === undefined
      ? []
      : [{ key, sequence, endpoint: JSON.parse(Buffer.from(data).toString()) as DisabledEndpoint }],
  )
}

function keyOf(webhook: string, url: URL): string {
  return `${webhook}.${createHash('sha256').update(url.href).digest('hex').slice(0, 32)}`
}
