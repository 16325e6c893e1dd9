// CostCounters
//
// What calls have used and cost: for each day (UTC), tenant and name of a job one counter, which all processes of an account add to.
//
// Invariants (tests cite them):
//   CO1  Each attempt of a job is counted once, with all that it has used, or not at all, however often it is told within ten minutes.
import { addToCounter, ensureCounters, readCounter, readCounters } from '../../broker/counter-stream.js'
import { outcomeUnknown } from '../../broker/api-error.js'
import type { Connection } from '../../broker/connection.js'
import { isFault } from '../../error/millrace-error.js'
import { formatTime } from '../../event/rfc3339.js'
import { decodeToken, encodeToken } from '../../event/subject.js'
import type { Clock } from '../../time/clock.js'
import { packTally, unpackTally, type CostTally } from './cost-tally.js'

export const COST_STREAM = 'MILLRACE_JOB_COSTS'
const ROOT = 'millrace.job-costs'
/** How long costs are known, in ms: a year, and a month to look back at it. */
const MAX_AGE_MS = 396 * 24 * 60 * 60 * 1_000
/** How long it is known of an attempt that it was counted, in ms. */
const WINDOW_MS = 600_000
/** What cannot be stored is tried for so long; far shorter than the window, in ms. */
const INSIST_MS = 60_000
const PAUSE_MS = 250

export interface CostKey {
  /** Such as `2026-11-22`. */
  readonly day: string
  readonly tenant: string
  /** Name of the job. */
  readonly name: string
}

export interface CostCountersOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly replicas: number
}

export class CostCounters {
  readonly #options: CostCountersOptions

  private constructor(options: CostCountersOptions) {
    this.#options = options
  }

  /** Makes the counters where they are not there. @throws errors of the broker */
  static async open(options: CostCountersOptions): Promise<CostCounters> {
    const counters = new CostCounters(options)
    await counters.#ensure()
    return counters
  }

  /**
   * Counts an attempt of a job, told by what tells it from those of all contexts. While the server cannot be asked it is tried for a minute.
   * @param what tells other things that are counted of an attempt from its bill
   * @returns all of its key by now
   * @throws errors of the broker: nobody knows whether it was counted
   */
  async count(key: CostKey, job: string, attempt: number, tally: CostTally, what = ''): Promise<CostTally> {
    const { connection, clock } = this.#options
    const subject = subjectOf(key)
    // jobs of two names may have one id
    const id = `${tokenOf(key.name)}:${tokenOf(job)}:${attempt}${what}`
    const added = { subject, by: packTally(tally), id }
    const until = clock.monotonic() + INSIST_MS
    for (;;)
      try {
        const sum = await addToCounter(connection, added)
        return unpackTally(sum ?? (await readCounter(connection, COST_STREAM, subject)))
      } catch (error) {
        // a connection that was closed does not come back
        const over = clock.monotonic() >= until || connection.state.kind === 'closed'
        if (!isFault(error) || !outcomeUnknown(error) || over) throw error
        await clock.sleep(PAUSE_MS)
        if (error.code === 'NO_STREAM_FOR_SUBJECT') await this.#ensure()
      }
  }

  async #ensure(): Promise<void> {
    await ensureCounters(this.#options.connection, {
      stream: COST_STREAM,
      subjects: `${ROOT}.>`,
      description: 'What calls of models have used and cost, by day, tenant and job',
      replicas: this.#options.replicas,
      maxAge: MAX_AGE_MS,
      window: WINDOW_MS,
    })
  }
}

/** What was used and spent. @param of without a day or a tenant: all of them @throws errors of the broker */
export async function readCosts(
  connection: Connection,
  clock: Clock,
  { day, tenant }: { readonly day?: string | undefined; readonly tenant?: string | undefined },
): Promise<readonly (CostKey & { readonly tally: CostTally })[]> {
  const filter = `${ROOT}.${day ?? '*'}.${tenant === undefined ? '*' : tokenOf(tenant)}.*`
  const sums = await readCounters(connection, clock, COST_STREAM, filter)
  return [...sums].map(([subject, sum]) => ({ ...keyOf(subject), tally: unpackTally(sum) }))
}

/** The day of a time (UTC), such as `2026-11-22`. @param now in ms since the Unix epoch */
export function dayOf(now: number): string {
  return formatTime(now).slice(0, 10)
}

const DAY_MS = 24 * 60 * 60 * 1_000

/** When the next day begins (UTC), in ms since the Unix epoch. */
export function nextDay(now: number): number {
  return (Math.floor(now / DAY_MS) + 1) * DAY_MS
}

function subjectOf({ day, tenant, name }: CostKey): string {
  return `${ROOT}.${day}.${tokenOf(tenant)}.${tokenOf(name)}`
}

function keyOf(subject: string): CostKey {
  const [day = '', tenant = '', name = ''] = subject.slice(ROOT.length + 1).split('.')
  return { day, tenant: decodeToken(tenant) ?? tenant, name: decodeToken(name) ?? name }
}

/** Half of a character has no bytes. */
function tokenOf(text: string): string {
  return encodeToken(Buffer.from(text).toString())
}
