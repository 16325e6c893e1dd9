import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { NEVER_EXPIRES, ROLLUP_SUBJECT } from '../broker/batch.js'
import { fault } from '../error/millrace-error.js'
import type { WireMessage } from '../event/wire.js'
import type { Clock } from '../time/clock.js'

/** How often a report is stored that is not small, in ms. */
const EVERY_MS = 1_000
/** What is stored with every commit in which it has changed, in bytes. */
const SMALL = 4 * 1024
/** What is stored as it is, in characters. */
const TINY = 1_024
/** Largest report, in bytes as stored: well below the smallest max_payload in use. */
const MOST = 512 * 1024

/**
 * What a unit tells of itself, stored with its commits under one subject: the last one counts. It is true as of the
 * commit that holds it, whoever asks.
 */
export class Reporting {
  readonly #clock: Clock
  readonly #subject: string
  readonly #report: () => unknown
  #text = ''
  #size = 0
  #at = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, subject: string, report: () => unknown) {
    this.#clock = clock
    this.#subject = subject
    this.#report = report
  }

  /** The message for the commit that is made now. @param anyway also when one was stored a moment ago */
  next(anyway: boolean): WireMessage | undefined {
    const now = this.#clock.monotonic()
    if (!anyway && this.#size > SMALL && now - this.#at < EVERY_MS) return undefined
    const report = this.#report()
    const text = report === undefined ? '' : JSON.stringify(report)
    if (text === this.#text) return undefined
    const data = text.length <= TINY ? storedBlock(Buffer.from(text)) : deflateRawSync(Buffer.from(text), { level: 1 })
    ;[this.#text, this.#size, this.#at] = [text, text.length, now]
    if (data.length > MOST) return undefined // status says then that there is none
    return { subject: this.#subject, headers: [ROLLUP_SUBJECT, NEVER_EXPIRES], data }
  }
}

/** As deflate stores what it does not compress (RFC 1951, 3.2.4): setting it up for so little takes longer than the rest. */
function storedBlock(text: Buffer): Uint8Array {
  const { length } = text
  const data = Buffer.allocUnsafe(5 + length)
  data[0] = 1 // the last block, stored
  data.writeUInt16LE(length, 1)
  data.writeUInt16LE(~length & 0xffff, 3)
  data.set(text, 5)
  return data
}

/** Reads a stored report. @throws SNAPSHOT_INVALID it is damaged */
export function decodeReport(data: Uint8Array, subject: string): unknown {
  try {
    return JSON.parse(inflateRawSync(data).toString('utf8'))
  } catch (error) {
    throw fault('SNAPSHOT_INVALID', subject, { cause: error })
  }
}
