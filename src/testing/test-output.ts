import { fault } from '../error/millrace-error.js'
import { decodeEvent } from '../event/decode-event.js'
import type { Event } from '../event/event.js'
import type { Registry } from '../event/registry.js'
import type { WireMessage } from '../event/wire.js'
import { wireHeaders } from '../replay/output-index.js'

/** An event that was put out. */
export interface TestOutput<Type extends string = string, Data = unknown> extends Event<Type, Data> {
  /** When it was put out, in ms since the test began. `time` is when it happened. */
  readonly at: number
}

/** Something that could not be handled. */
export interface TestDeadLetter {
  /** When, in ms since the test began. */
  readonly at: number
  /** Of the event; events are numbered from 1. */
  readonly sequence: number
  readonly code: string
  readonly detail: string
}

/** Reads an output as a consumer would. @throws OUTPUT_INVALID it does not fit its own contract */
export function readOutput(registry: Registry, output: WireMessage, at: number): TestOutput {
  const stored = { stream: '', sequence: 0, storedAt: 0 }
  const decoded = decodeEvent(registry, wireHeaders(output), output.data, stored)
  if (decoded.kind === 'rejected') throw fault('OUTPUT_INVALID', `${decoded.type ?? 'it'}: ${decoded.detail}`)
  const { stream: _stream, sequence: _sequence, storedAt: _storedAt, ...event } = decoded.event
  return { ...event, at }
}
