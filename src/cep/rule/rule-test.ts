/** An event that a test gives. */
export interface TestEvent {
  readonly type: string
  readonly data: unknown
  /** When it happened, in ms after the test begins; it is stored then too. */
  readonly at: number
  readonly id?: string
  readonly source?: string
  readonly correlationId?: string
  readonly causationId?: string
}

/** What a test expects of one emitted event. Only what is named is compared; data by its fields. */
export interface ExpectedEvent {
  readonly event?: string
  readonly data?: Readonly<Record<string, unknown>>
  readonly severity?: string
  readonly key?: string
  /** In ms after the test begins. */
  readonly at?: number
}

/** Events, and what a rule must make of them: as many events as are expected, in this order. */
export interface RuleTest {
  readonly name: string
  readonly given: readonly TestEvent[]
  /** Time passes to there after the last event, in ms after the test begins. */
  readonly until?: number
  readonly expect: readonly ExpectedEvent[]
  /** Where it stands in its file. */
  readonly line?: number
  readonly column?: number
}

/** When tests begin: a Monday, at midnight, UTC. */
export const TEST_BEGINS = Date.UTC(2026, 0, 5)
