// Backtest
//
// Runs a rule over recorded history of its stream, as it runs live, and publishes nothing.
//
// Invariants (tests cite them):
//   BT1  It finds what the rule would have found live over the same events with the same state before: matches of the range,
//       those that come when time passes among them, in the same order with the same events.
//   BT2  Nothing is published and no position moves: the streams have the same sequences afterwards, and no consumer more.
//   BT3  What was found with events before the range only is not counted; what began before it and ends in it is, as far as
//       the window of the rule reaches back.
import { decodeEvents, type DecodedEvent } from '../../event/decode-event.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import type { Match } from '../../cep/engine/match.js'
import type { Rule } from '../../cep/rule/rule.js'
import type { BacktestOptions, BacktestResult, Rejection } from './backtest-result.js'
import { emitted } from './emitted.js'
import { MatchPairs } from './difference.js'
import type { FoundMatch } from './found-match.js'
import { comparedWithLive, LiveOutputs, type LiveDifference } from './live-outputs.js'
import { planRange, type RangePlan } from './plan-range.js'
import { RulePass } from './rule-pass.js'
import { Score } from './score.js'
import { readRange } from '../read-range.js'
import { Timeline } from './timeline.js'
import { wantedEvents } from '../wanted-types.js'

const PROGRESS_MS = 100
const SAMPLES = 10

/**
 * Runs a rule over a range. Stopped by the signal, it says what it found so far.
 * @throws REPLAY_RANGE_INVALID, STREAM_NOT_FOUND, errors of the broker, and what onTaken throws
 */
export async function backtest(options: BacktestOptions): Promise<BacktestResult> {
  const { rule, against, score } = options
  const rules = against?.kind === 'rule' ? [rule, against.rule] : [rule]
  const types = score?.label.kind === 'event' ? [score.label.type] : []
  const plan = await planRange({ ...options, rules, types })
  options.onPlan?.(plan)
  return new Backtest(options, plan).run()
}

class Backtest {
  readonly #options: BacktestOptions
  readonly #plan: RangePlan
  readonly #here: RulePass
  readonly #there: RulePass | undefined
  readonly #pairs: MatchPairs | undefined
  readonly #live: LiveOutputs | undefined
  readonly #score: Score | undefined
  readonly #scoreThere: Score | undefined
  readonly #timeline = new Timeline()
  readonly #matches: FoundMatch[] = []
  readonly #spent = { all: 0, decoding: 0, matching: 0 }
  readonly #rejected = { count: 0, samples: [] as Rejection[] }
  #isInRange = false
  #events = 0
  #eventsBefore = 0
  #messages = 0
  #unemitted = 0
  #at = 0

  constructor(options: BacktestOptions, plan: RangePlan) {
    const { rule, against, score } = options
    this.#options = options
    this.#plan = plan
    this.#here = new RulePass(rule, (match) => this.#found(match))
    if (against?.kind === 'rule') {
      this.#pairs = new MatchPairs()
      this.#there = new RulePass(against.rule, (match) => this.#foundThere(against.rule, match))
    } else if (against?.kind === 'live') this.#live = new LiveOutputs()
    if (score === undefined) return
    this.#score = new Score(rule, score)
    if (against?.kind === 'rule') this.#scoreThere = new Score(against.rule, score)
  }

  async run(): Promise<BacktestResult> {
    const { connection, clock, signal } = this.#options
    const { stream, filters, readFrom, last } = this.#plan
    const started = clock.monotonic()
    const stopProgress = clock.every(PROGRESS_MS, () => this.#progress())
    let ended: BacktestResult['ended']
    try {
      const take = (messages: readonly StoredMessage[]): void | Promise<void> => this.#take(messages)
      ended = await readRange(connection, { stream, filters, first: readFrom, last, clock, signal, take })
      if (ended === 'complete') await this.#end()
    } finally {
      stopProgress()
    }
    this.#spent.all = clock.monotonic() - started
    this.#progress()
    const live = await this.#compareWithLive(ended)
    return this.#result(ended, live)
  }

  #take(messages: readonly StoredMessage[]): void | Promise<void> {
    const { clock } = this.#options
    const begun = clock.monotonic()
    const decoded = messages.map((message) => this.#decode(message))
    const read = clock.monotonic()
    for (const events of decoded) for (const one of events) this.#event(one)
    this.#messages += messages.length
    this.#spent.decoding += read - begun
    this.#spent.matching += clock.monotonic() - read
    return this.#options.onTaken?.()
  }

  #decode(message: StoredMessage): readonly DecodedEvent[] {
    const { registry } = this.#options
    const { sequence, storedAt } = message
    const { stream, wants } = this.#plan
    const all = decodeEvents(registry, message, { stream, sequence, storedAt, kept: true })
    const decoded = wantedEvents(all, wants)
    for (const one of decoded)
      if (one.kind === 'rejected') this.#reject({ sequence, code: one.code, detail: one.detail })
    return decoded
  }

  #reject(rejection: Rejection): void {
    if (rejection.sequence < this.#plan.first) return
    this.#rejected.count += 1
    if (this.#rejected.samples.length < SAMPLES) this.#rejected.samples.push(rejection)
  }

  #event(decoded: DecodedEvent): void {
    if (decoded.kind === 'rejected') return
    const { event } = decoded
    this.#at = event.sequence
    if (!this.#isInRange && event.sequence >= this.#plan.first) this.#begin()
    if (this.#isInRange) {
      if (this.#isRead(event.type)) {
        this.#events += 1
        this.#timeline.event(event.time)
      }
      this.#score?.see(event)
      this.#scoreThere?.see(event)
    } else this.#eventsBefore += 1
    this.#here.take(event)
    this.#there?.take(event)
  }

  /** A label event is read for the label alone. */
  #isRead(type: string): boolean {
    return this.#here.reads(type) || this.#there?.reads(type) === true
  }

  /** What ends before the first message of the range was stored belongs to what came before. */
  #begin(): void {
    this.#isInRange = true
    for (const pass of [this.#here, this.#there]) {
      if (this.#plan.begins !== undefined) pass?.passStored(this.#plan.begins)
      pass?.count()
    }
  }

  async #end(): Promise<void> {
    if (!this.#isInRange) this.#begin()
    this.#at = this.#plan.last
    this.#here.passStored(this.#plan.ends)
    this.#there?.passStored(this.#plan.ends)
    await this.#options.onTaken?.()
  }

  #found(match: Match): void {
    const { rule, registry, keep, onMatch } = this.#options
    const found = { match, emitted: emitted(rule, registry, match), at: this.#at }
    if ('problem' in found.emitted) this.#unemitted += 1
    if (this.#matches.length < keep) this.#matches.push(found)
    this.#timeline.match(match.time)
    this.#score?.match(match)
    this.#pairs?.here(found)
    this.#live?.here(found)
    onMatch?.(found)
  }

  #foundThere(rule: Rule, match: Match): void {
    this.#timeline.against(match.time)
    this.#scoreThere?.match(match)
    this.#pairs?.there({ match, emitted: emitted(rule, this.#options.registry, match), at: this.#at })
  }

  #progress(): void {
    this.#options.onProgress?.({
      events: this.#events + this.#eventsBefore,
      messages: this.#messages,
      of: this.#plan.of,
    })
  }

  async #compareWithLive(ended: BacktestResult['ended']): Promise<LiveDifference | undefined> {
    const { against } = this.#options
    if (this.#live === undefined || against?.kind !== 'live' || ended !== 'complete') return undefined
    const { connection, clock, signal } = this.#options
    return comparedWithLive(this.#live, {
      connection,
      clock,
      ...(signal === undefined ? {} : { signal }),
      place: against.place,
      plan: this.#plan,
      until: this.#here.timeAt(this.#plan.ends),
      onOutput: (time) => this.#timeline.against(time),
    })
  }

  #result(ended: BacktestResult['ended'], live: LiveDifference | undefined): BacktestResult {
    return {
      rule: this.#options.rule,
      plan: this.#plan,
      ended,
      events: this.#events,
      before: { events: this.#eventsBefore, matches: this.#here.before },
      pass: this.#here,
      there: this.#there,
      unemitted: this.#unemitted,
      matches: this.#matches,
      rejected: this.#rejected,
      timeline: this.#timeline,
      score: this.#score?.report(),
      scoreThere: this.#scoreThere?.report(),
      difference: this.#pairs?.finish(),
      live,
      spent: this.#spent,
    }
  }
}
