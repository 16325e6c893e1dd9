/**
 * A fact: something that happened, in the past tense, immutable. CloudEvents 1.0 with the attributes that
 * Millrace gives a meaning to as fields of their own.
 */
export interface Event<Type extends string = string, Data = unknown> {
  /** Unique within `source`. */
  readonly id: string
  /** Who says so: a URI reference. */
  readonly source: string
  readonly type: Type
  /** Version of the contract that `data` follows. */
  readonly version: number
  /** When it happened, in milliseconds since the Unix epoch. */
  readonly time: number
  /** Unit of order: events of one key keep their order. CloudEvents `partitionkey`. */
  readonly key: string | undefined
  readonly data: Data
  /** The conversation this event belongs to. */
  readonly correlationId: string | undefined
  /** Id of the event that caused this one. */
  readonly causationId: string | undefined
  /** Every other CloudEvents attribute by its name, `traceparent` and `subject` among them. */
  readonly attributes: Readonly<Record<string, string>>
}

/** An event as it was read from a stream. */
export interface StoredEvent<Type extends string = string, Data = unknown> extends Event<Type, Data> {
  readonly stream: string
  readonly sequence: number
  /** When the stream stored it, in milliseconds since the Unix epoch. */
  readonly storedAt: number
}

/** What a contract's constructor makes: an event whose identity and causes the publisher or the kernel fills in. */
export interface EventDraft<Type extends string = string, Data = unknown> {
  readonly type: Type
  readonly version: number
  readonly data: Data
  readonly key: string | undefined
  readonly id: string | undefined
  readonly source: string | undefined
  readonly time: number | undefined
  readonly correlationId: string | undefined
  readonly causationId: string | undefined
  readonly attributes: Readonly<Record<string, string>>
}
