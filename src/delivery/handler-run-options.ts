import type { Connection } from '../broker/connection.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import type { Registry } from '../event/registry.js'
import type { MillraceError } from '../error/millrace-error.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'
import type { Gate, GateTrouble } from './gate.js'
import type { HandlerDeclaration } from './handler-options.js'
import type { Stall } from './storing.js'

export interface HandlerRunOptions {
  readonly connection: Connection
  readonly declaration: HandlerDeclaration
  readonly registry: Registry
  /** The stream that it reads. */
  readonly stream: StreamDeclaration
  /** The stream of work beside it: see workStream. */
  readonly work: StreamDeclaration
  /** Where it emits to, when it does. */
  readonly emitsTo?: StreamDeclaration | undefined
  readonly clock: Clock
  readonly log: Log
  /** From 0 to below 1. */
  readonly chance: () => number
  /** Default: open. */
  readonly gate?: Gate
  /** How long a stop waits for runs to end before it aborts their signals, in ms. Default 10,000. */
  readonly stopGraceMs?: number
  /** It cannot go on; it has stopped. */
  readonly onFailure: (error: MillraceError) => void
}

/** What a handler has done in this process. */
export interface HandlerCounts {
  readonly done: number
  /** Events that are none of its own. */
  readonly ignored: number
  readonly later: number
  readonly dead: number
  /** Left to be delivered again. */
  readonly left: number
}

/** How a handler is in this process. */
export interface HandlerStatus {
  readonly name: string
  /** Messages in hand, those that wait among them. */
  readonly held: number
  readonly running: number
  /** Why nothing is begun. */
  readonly stall: Stall | GateTrouble | { readonly code: 'GATE_CLOSED'; readonly detail: string } | undefined
  readonly counts: HandlerCounts
}
