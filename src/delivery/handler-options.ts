import type { EventContract, EventOf } from '../event/contract.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import type { BatchContext, HandlerContext } from './handler-context.js'
import type { RecoveryPolicy } from './recovery.js'

/** An event of one of the contracts, as a handler gets it. It is frozen. */
export type HandledEvent<Events extends readonly EventContract[]> = {
  readonly [At in keyof Events]: StoredEvent<Events[At]['type'], EventOf<Events[At]>['data']>
}[number]

/** What `handle` may give back: events to be published before the one it handled is done. */
export type Emitted = EventDraft | readonly EventDraft[] | undefined | void

/** Events of one priority: a durable consumer of their own. */
export interface LaneOptions {
  readonly name: string
  readonly events: readonly EventContract[]
  /** Its share when several lanes have events waiting. A whole number from 1. */
  readonly weight: number
}

export interface RateOptions {
  readonly limit: number
  /** In ms, or like `1s`. */
  readonly per: string | number
  /** Of each key on its own. Default: of the handler as a whole, in all processes together. */
  readonly key?: (event: StoredEvent) => string
}

/** Something that a handler depends on: see defineDependency. */
export interface HandlerDependency {
  readonly kind: 'dependency'
  readonly name: string
}

/** Where a handler remembers what it has done: see inbox. */
export interface HandlerInbox {
  readonly kind: 'inbox'
  /** In ms. */
  readonly ttl: number
}

export interface BatchOptions {
  /** Most events in one call. */
  readonly most: number
  /** How long the first waits for others, in ms or like `50ms`. Default 50 ms. */
  readonly within?: string | number
  /** Waits only for as many as are likely to come in that time. Default true. */
  readonly adaptive?: boolean
}

interface CommonOptions<Events extends readonly EventContract[]> {
  /** Letters, digits, _ and -, at most 64; unique among handlers. */
  readonly name: string
  /** Told in dead letters. Default 1. */
  readonly version?: number
  readonly on: {
    readonly stream: string
    readonly events: Events
    /** A condition on the event in CEL, such as `data.amount > 100`; others are done at once. */
    readonly where?: string
    /** Where it begins when it runs for the first time: with what the stream has, or with what comes. Default `first`. */
    readonly from?: 'first' | 'new'
  }
  /**
   * Events in flight, those that were fetched and wait among them: of one process (`worker`, default 16), and of all
   * together (`total`, in each lane; default 1,024).
   */
  readonly concurrency?: number | { readonly worker: number; readonly total?: number }
  /** `key`: the events of a key one after the other, in the order of the log. Default `none`. */
  readonly order?: 'none' | 'key'
  /** Most time for one run, in ms or like `30s`. Default 30 s. */
  readonly timeout?: string | number
  /** After what silence of a process its events are given to another one, in ms or like `30s`. Default 30 s. */
  readonly ackWait?: string | number
  /** Default retry(). */
  readonly recovery?: RecoveryPolicy
  /** Another policy for some errors; undefined: `recovery` counts. */
  readonly classify?: (error: unknown) => RecoveryPolicy | undefined
  /** What `handle` may give back, and where it goes. */
  readonly emits?: { readonly stream: string; readonly events: readonly EventContract[]; readonly loops?: boolean }
  readonly uses?: readonly HandlerDependency[]
  readonly rate?: RateOptions
  readonly idempotent?: HandlerInbox
  readonly lanes?: readonly LaneOptions[]
  /**
   * Most deliveries of a message by the server, whatever becomes of them: a backstop. At the 50th, or the last but one,
   * the event is written anew, and counts from 1: what was only handed back is never given up. A message that the server
   * gave up on all the same is a dead letter (DELIVERIES_EXHAUSTED). Default 500.
   */
  readonly mostDeliveries?: number
}

export interface SingleOptions<Events extends readonly EventContract[]> extends CommonOptions<Events> {
  readonly handle: (event: HandledEvent<Events>, context: HandlerContext) => Emitted | Promise<Emitted>
  readonly batch?: undefined
}

export interface ManyOptions<Events extends readonly EventContract[]> extends CommonOptions<Events> {
  readonly batch: BatchOptions
  readonly handle: (events: readonly HandledEvent<Events>[], context: BatchContext) => Emitted | Promise<Emitted>
}

export type HandlerOptions<Events extends readonly EventContract[]> = SingleOptions<Events> | ManyOptions<Events>

/** A lane of a declared handler; the types of all lanes together are those of the handler, each once. */
export interface Lane {
  readonly name: string
  readonly types: readonly string[]
  readonly weight: number
}

/** A declared handler. Times in ms. */
export interface HandlerDeclaration {
  readonly kind: 'handler'
  readonly name: string
  readonly version: number
  readonly on: {
    readonly stream: string
    readonly events: readonly EventContract[]
    readonly where: string | undefined
    readonly from: 'first' | 'new'
  }
  readonly run:
    | { readonly kind: 'single'; handle(event: StoredEvent, context: HandlerContext): unknown }
    | {
        readonly kind: 'batch'
        readonly most: number
        readonly within: number
        readonly adaptive: boolean
        handle(events: readonly StoredEvent[], context: BatchContext): unknown
      }
  readonly concurrency: { readonly worker: number; readonly total: number }
  readonly order: 'none' | 'key'
  readonly timeout: number
  readonly ackWait: number
  readonly recovery: RecoveryPolicy
  readonly classify: ((error: unknown) => RecoveryPolicy | undefined) | undefined
  readonly emits: { readonly stream: string; readonly events: readonly EventContract[] } | undefined
  readonly uses: readonly HandlerDependency[]
  readonly rate:
    | { readonly limit: number; readonly per: number; readonly key: ((event: StoredEvent) => string) | undefined }
    | undefined
  readonly idempotent: HandlerInbox | undefined
  /** At least one: `default`. */
  readonly lanes: readonly Lane[]
  readonly mostDeliveries: number
  /** Whether an event is one for it. */
  wants(event: StoredEvent): boolean
}

/** The lane of a handler that declares none. */
export const DEFAULT_LANE = 'default'
