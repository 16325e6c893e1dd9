import type { HeaderReader } from '../event/wire.js'
import type { Delivery } from './delivery-parser.js'
import { BlockReader } from './headers.js'

/** What the server says to who asked for messages, in a message without payload: `NATS/1.0 408 Request Timeout`. */
export interface ServerStatus {
  readonly code: number
  readonly detail: string
  readonly headers: HeaderReader
}

/** One that says nothing comes from nobody: as if no server had answered. */
const NO_RESPONDERS = 503
const NOBODY = `NATS/1.0 ${NO_RESPONDERS}`

/** Whether the server says that nobody takes a subject. What somebody else answers without payload is no such thing. */
export function isNoResponders({ frame, headers, data, end }: Delivery): boolean {
  return data === end && frame.toString('latin1', headers, Math.min(data, headers + NOBODY.length)) === NOBODY
}

export function readStatus({ frame, headers, data }: Delivery): ServerStatus {
  const block = frame.toString('utf8', headers, data)
  const [, code = NO_RESPONDERS, detail = ''] = /^NATS\/1\.0 (\d{3}) ?(.*)/.exec(block) ?? []
  return { code: Number(code), detail: detail.trim(), headers: new BlockReader(block) }
}
