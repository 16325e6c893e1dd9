import type { StoredMessage } from '../broker/stored-message.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import type { MillraceError } from '../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import type { StepOutcome } from './decision.js'
import type { LogicEnvironment } from './logic-environment.js'
import type { Remark } from './remark.js'
import type { StepRequest } from './step-request.js'
import type { OnPoison, Upgrade } from './processor-policies.js'

/**
 * How a processor’s state comes back after a crash. A closed set.
 *
 * - `none`: outputs follow from the event alone.
 * - `snapshot`: a whole state now and then, and the log since.
 * - `replay`: the log from where the oldest living state began; outputs up to the position are dropped.
 * - `keyed`: entries by key, their changes in each commit; nothing is replayed.
 */
export type MemoryKind = 'none' | 'snapshot' | 'replay' | 'keyed'

/** One entry of a keyed state, as plain data. */
export interface KeyedEntry {
  readonly key: string
  readonly value: unknown
}

/** A change of a keyed state: the new value as a whole, or undefined when the key is gone. */
export interface KeyedChange {
  readonly key: string
  readonly value: unknown | undefined
}

/** What one unit has stored of a keyed state. */
export interface KeyedPart {
  readonly basis: unknown
  readonly entries: readonly KeyedEntry[]
}

/** What of a keyed state goes to a unit that takes keys over from others. */
export interface Regrouping {
  /** Stored by units whose keys may be among its own. */
  readonly parts: readonly (KeyedPart & {
    /** Whether what the part has counted, of late events for instance, is counted on here. */
    readonly counts: boolean
  })[]
  /** Whether an event’s key is one of its own. */
  readonly takes: (key: string | undefined) => boolean
}

/** A keyed state as it was stored. `version`: of the code that wrote the entries. */
type KeyedMemory = { readonly basis: unknown; readonly entries: Iterable<KeyedEntry>; readonly version: string }

/** What a processor starts from. */
export type Memory =
  /** `until` as with a snapshot. */
  | { readonly kind: 'fresh'; readonly until?: number }
  /**
   * `until`: other code has written it, and worked up to this sequence; what that one put out up to there is stored,
   * whatever comes out of the replay. Absent: this code has.
   */
  | { readonly kind: 'snapshot'; readonly state: unknown; readonly until?: number }
  /** `origin`: position at which this version of the code took over; 0 when there was no other. */
  | { readonly kind: 'replay'; readonly basis: unknown; readonly origin: number }
  | ({ readonly kind: 'keyed' } & KeyedMemory)

/**
 * One thing that the kernel runs: it reads a stream in log order and writes what follows from it to a stream.
 * Pipelines, rules and actors are processors; the kernel knows no more of them than this.
 */
export interface Processor {
  readonly kind: 'pipeline' | 'rule' | 'rules' | 'contracts' | 'outbox' | 'actor' | 'reaction' | 'view' | 'handler'
  /** Unique among processors of its kind; part of its commit subject and of the ids of its outputs. */
  readonly name: string
  /** Changes when its code or text changes. */
  readonly version: string
  /** Id of the processor whose commits hold its outputs, when it works as a part of another one. */
  readonly worksIn?: string
  readonly from: {
    readonly stream: StreamDeclaration
    /** undefined: every type. */
    readonly types?: readonly string[]
    /** Types that others take: it minds the contracts of the rest. */
    readonly taken?: readonly string[]
  }
  readonly to: {
    readonly stream: StreamDeclaration
    /** Whether many outputs may share one message. Default false. */
    readonly packed?: boolean
    /** Outputs of these types belong to other streams: they wait in `stream` until they are carried over. */
    readonly others?: readonly { readonly stream: StreamDeclaration; readonly types: readonly string[] }[]
  }
  /** Messages of these subjects are not read: what is in them was checked when it was made. */
  readonly passes?: (subject: string) => boolean
  readonly memory: MemoryKind
  readonly upgrade?: Upgrade // default: `keep` without memory, else `refuse`
  /** Upgrade `drain`: the code before this one, which ends what it has open before this one begins. Memory `replay`. */
  readonly former?: Processor
  /** `one` when it must see the events of every key in one order: it has one unit then, in one process. Default `keys`. */
  readonly spread?: 'keys' | 'one'
  /** Default `continue`. */
  readonly onPoison?: OnPoison
  /** The key whose order it keeps, for parking. Default: the event’s own. */
  keyOf?(event: StoredEvent): string | undefined
  /**
   * Memory `keyed`: what a unit begins with that takes keys over from others, when the number of partitions changes.
   * Without it, that number cannot change. @throws what entries that cannot be read throw
   */
  regroup?(regrouping: Regrouping): KeyedPart
  /** The part of the processor that an output is of, for dead letters. Default: the processor. */
  partOf?(draft: EventDraft): string | undefined
  /** Starts from what was stored, or afresh. @param onBroken for what goes wrong while nothing is being handled */
  start(memory: Memory, onBroken: (error: MillraceError) => void, environment?: LogicEnvironment): Logic
  /** `start` where streams have the number of partitions that `other` gives them. Default: it does not depend on that. */
  startWith?(other: (stream: StreamDeclaration) => StreamDeclaration): Processor['start']
}

/**
 * Told of what fails beside outputs that are good: the event becomes a dead letter, the outputs stay.
 * @param poison the event of the turn is what failed, and nothing that it did is left in state or outputs, so that it may
 *   come again: `onPoison` decides. Default false: something else failed in its turn, or a part of what it led to
 * @param whose part of the processor failed, for the dead letter. Default: the processor
 */
export type OnFailure = (error: unknown, poison?: boolean, whose?: string) => void

/** Where the log must be read again to rebuild a state. */
export interface ReplayStart {
  readonly sequence: number
  /** Events that were given since, the one of `sequence` included: what a replay must meet again. */
  readonly events: number
  /** What must be known before it, as plain data: the watermark, for instance. */
  readonly basis: unknown
}

/** Time that moved before an event was handled. */
export interface Advance {
  /** The tick that it amounts to. */
  readonly time: number
  readonly outputs: readonly EventDraft[]
}

/**
 * A processor at work: synchronous, without a clock and without effects. Its outputs are a function of the events and
 * decisions it was given, in order, since its start.
 */
export interface Logic {
  /**
   * Handles one event and returns what follows from it.
   * What it throws makes the event a dead letter, unless the error’s disposition is `crash`, which stops the processor.
   * An event that it throws at has left nothing behind: it may come again (see OnPoison).
   * @param message the one that it came in
   */
  turn(event: StoredEvent, onFailure: OnFailure, message?: Pick<StoredMessage, 'headers'>): readonly EventDraft[]
  /** Time in ms from which `tick` would do something; Infinity or absent: nothing is waiting. */
  readonly due?: number
  /** Moves time to `time` and fires what is due, also when nothing is. */
  tick?(time: number, onFailure: OnFailure): readonly EventDraft[]
  /** False: events of this type are passed over unread. @param storedAt when it was stored, in ms */
  wants?(type: string, storedAt: number): boolean
  /** False: the event has to wait, until a step is settled that it would overtake, or until what it needs is there (`wake`). */
  admits?(event: StoredEvent): boolean
  /** Told, while an event has to wait, of those behind it, once each: what they need may be fetched meanwhile. */
  expect?(event: StoredEvent): void
  /**
   * Told of an event that is kept behind one of its key that failed, which is why the key is parked; it has its turn when
   * it is redriven. @param code of that failure @returns true: it is the one that failed, and has done so again
   */
  diverted?(event: StoredEvent, code: string): boolean | undefined
  /** Told that what a parked key was to begin with is left out, because whoever redrives the key has said so. */
  leftOut?(key: string): void
  /** Asked after each turn and decision; what it returns is called when that is stored. */
  afterCommit?(): (() => void) | undefined
  /**
   * Memory `none`: awaited before a position is stored, after the dead letters up to it: what has to be in another place
   * by then. Turns behind the position may have been taken meanwhile. It may be called again for what was done before.
   */
  beforeCommit?(position: number): Promise<void>
  /**
   * Called before the turn of an event that is admitted, unless it is replayed. May move time towards the event’s; when
   * a timer asks for a step that the next timer would overtake, it stops there. What it returns then is recorded as a
   * tick, and the event has to wait. `undefined`: the turn of this event follows at once.
   */
  advance?(event: StoredEvent, onFailure: OnFailure): Advance | undefined
  /** Ends a step that was asked for. An id that nobody waits for is passed over. */
  settle?(id: string, outcome: StepOutcome, onFailure: OnFailure): readonly EventDraft[]
  /** Steps asked for since the last call and not settled; after a replay, every one that is still waited for. */
  takeSteps?(): readonly StepRequest[]
  /** Memory `replay`: undefined when nothing lives, so that the next event is where a replay may begin. */
  replayStart?(): ReplayStart | undefined
  /** Memory `replay`: over what each living slot has put out since its birth. */
  readonly hash?: number
  /** Memory `keyed`: what changed since the last call. */
  takeChanges?(): readonly KeyedChange[]
  /** Memory `keyed`: every entry; may be read slowly while turns go on. */
  entries?(): Iterable<KeyedEntry>
  /** Memory `keyed` and `replay`: small plain data that belongs to every commit. */
  readonly basis?: unknown
  /** What it passed over without a dead letter, by name, since ever: late events, for instance. Shown with its status. */
  readonly notices?: Readonly<Record<string, number>>
  /** Which parts of it have a notice of this name, where it has parts: rules. A few of them. */
  noticedBy?(name: string): readonly string[]
  /** Remarks since the last call. Those of a replay are not asked for. */
  takeRemarks?(): readonly Remark[]
  /** What it tells of itself to whoever asks how it is, as plain data; stored with commits now and then. */
  report?(): unknown
  /** Begins nothing more outside of its turns; resolves when what has begun there has ended, or has had time enough. */
  finish?(): Promise<void>
  /** Memory `snapshot`: the whole state as plain data. */
  snapshot?(): unknown
  stop(): void
}

/** Name of the processor on the wire. */
export function processorId({ kind, name }: Pick<Processor, 'kind' | 'name'>): string {
  return `${kind}-${name}`
}

/** CloudEvents source of a processor’s outputs. */
export function processorSource({ kind, name }: Pick<Processor, 'kind' | 'name'>): string {
  return `/millrace/${kind}s/${name}`
}

/** The one unit of a processor that is not spread over partitions. */
export const WHOLE = 'all'

/** Units of a processor: the partitions of its input, or the whole. */
export function partitionsOf({ from, spread = 'keys' }: Pick<Processor, 'from' | 'spread'>): readonly string[] {
  return spread === 'one' ? [WHOLE] : Array.from({ length: from.stream.partitions }, (_, at) => String(at))
}

/** Name of one unit: its durable consumer, what processes own. */
export function unitId(processor: Pick<Processor, 'kind' | 'name'>, partition: string): string {
  return `${processorId(processor)}-${partition}`
}
