/** How jobs are put together, and how a batch is followed. Times in ms. */
export interface BatchRules {
  /** Most jobs of a batch: 900 go into one record of the log. */
  readonly size: number
  /** Most bytes of one. */
  readonly bytes: number
  /** How long the first of one waits for others. */
  readonly age: number
  /** How often it is asked for: at first, and after a while. */
  readonly pollLeast: number
  readonly pollMost: number
  /** How long a batch may be unknown to the provider that has said that it has it. */
  readonly missing: number
  /** How long after it was collected a batch may be sent, at the latest. */
  readonly sending: number
  /** How long sending it may take. */
  readonly creating: number
  /** By how much the clock of the provider may differ from ours, and how late its list may be. */
  readonly skew: number
  /** How long a batch takes, until some were seen. */
  readonly usual: number
}

/** The API takes 100,000 requests or 256 MB. */
export const DEFAULT_BATCH: BatchRules = Object.freeze({
  size: 500,
  bytes: 200_000_000,
  age: 60_000,
  pollLeast: 5_000,
  pollMost: 60_000,
  missing: 600_000,
  sending: 30_000,
  creating: 300_000,
  skew: 120_000,
  usual: 3_600_000,
})

/** A record of the log has a thousand messages, of which a job takes one. */
export const MOST_JOBS = 900

/** The usual ones, as far as a deployment does not say otherwise. */
export function batchRulesOf({
  jobs: size = DEFAULT_BATCH.size,
  wait: age = DEFAULT_BATCH.age,
}: { readonly jobs?: number | undefined; readonly wait?: number | undefined } = {}): BatchRules {
  return { ...DEFAULT_BATCH, size, age }
}

/** How long after it was collected a batch that the provider has shows in its list. */
export function shownWithin({ sending, creating, skew }: BatchRules): number {
  return sending + creating + skew
}

/** How long to wait before a batch is asked for again. @param age how long it has been there, in ms */
export function pollDelay({ pollLeast, pollMost }: BatchRules, age: number): number {
  return Math.max(pollLeast, Math.min(pollMost, Math.floor(age / 4)))
}
