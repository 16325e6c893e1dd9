// The format of case files, as far as all kinds of cases share it.

export type Ids = Readonly<Record<string, readonly string[]>>

export interface CaseEvent {
  readonly id: string
  readonly ts: number
  readonly [field: string]: unknown
}

/** What every case says of itself and expects. `at` is parallel to `expected`: the entry that brought each match. */
export interface Case {
  readonly id: string
  /** `tree`: a tree of the pattern algebra. Absent: a sequence of stages. */
  readonly kind?: string
  readonly quirks?: readonly string[]
  readonly tieOrder?: boolean
  readonly events: readonly (CaseEvent | { readonly wm: number })[]
  readonly snapshotAfter?: readonly number[]
  readonly expected: readonly Ids[]
  readonly at?: readonly number[]
  readonly expectedTimeouts?: readonly { readonly match: Ids; readonly ts: number }[]
  readonly expectedLate?: readonly string[]
  readonly expectError?: { readonly phase: 'compile' | 'run' }
}

/** What came of a case. */
export interface Outcome {
  readonly matches: readonly Ids[]
  readonly at: readonly number[]
  readonly timeouts: readonly { readonly match: Ids; readonly ts: number }[]
  readonly late: readonly string[]
  readonly error?: { readonly phase: 'compile' | 'run'; readonly message: string }
}

export interface RunOptions {
  /** As Flink does it, quirks included. */
  readonly flinkCompatible: boolean
  /** After these entries, the rest is done by an engine made from a snapshot that went through JSON. */
  readonly restoreAfter: (entry: number) => boolean
}

/** Runs the cases of one kind. */
export type CaseRunner = (given: Case, options: RunOptions) => Outcome
