import type { EndReason, Partial } from '../../cep/engine/partial.js'
import { explainCondition } from '../../cep/cel/explain-condition.js'
import type { WrittenCondition } from '../../cep/rule/rule-conditions.js'
import type { StoredEvent } from '../../event/event.js'
import { formatDuration } from '../../time/duration.js'
import { text } from '../backtest/found-match.js'
import type { Ended, KeyStory, Told } from './key-story.js'

/** Says why things did not happen, as a person would. */
export class InWords {
  readonly #story: KeyStory
  readonly #conditions: readonly WrittenCondition[]
  readonly #stages: readonly string[]

  /** @param conditions as they are written in the rule; none: conditions are not explained */
  constructor(story: KeyStory, conditions: readonly WrittenCondition[]) {
    this.#story = story
    this.#conditions = conditions
    this.#stages = [...new Set(conditions.filter(({ isNot }) => !isNot).map(({ stage }) => stage))]
  }

  /** Why something that had begun came to nothing. */
  end({ partial, reason, time }: Ended): string {
    switch (reason.kind) {
      case 'window':
        return this.#window(partial, time)
      case 'forbidden':
        return `${named(reason.event)} came, which the rule forbids${between(partial)}`
      case 'not-next':
        return `${named(reason.event)} came next, where the rule wants ${list(partial.waitsFor)}`
      case 'skipped':
        return 'a match of the same key ruled it out, by the skip strategy'
      case 'bound':
        return `there was no room: ${reason.bound}`
    }
  }

  /** Why an event of the key is part of nothing; undefined when it is part of something. */
  nothing(told: Told): string | undefined {
    const { event, late } = told
    if (late) return `it came too late: time had come past ${text(event.time)} before it was stored`
    if (this.#story.isPart(event)) return undefined
    return this.#further(told) ?? this.#begins(told)
  }

  /** Why it took nothing further that was under way when it came: of what had come furthest. */
  #further({ event, open }: Told): string | undefined {
    const [furthest] = [...open].sort((one, other) => other.taken.length - one.taken.length)
    if (furthest === undefined) return undefined
    for (const condition of this.#conditions) {
      const { stage, events, isNot } = condition
      if (isNot || !furthest.waitsFor.includes(stage) || !(events.length === 0 || events.includes(event.type))) continue
      const because = this.#false(condition, event, furthest.taken)
      const began = furthest.taken[0]?.event.sequence
      if (because !== undefined) return `no ${stage} for what began at sequence ${began ?? '?'}: ${because}`
    }
    return undefined
  }

  #begins({ event }: Told): string {
    const first = this.#conditions.find(({ isNot }) => !isNot)
    if (first === undefined) return 'nothing that it could begin or take further'
    if (first.events.length > 0 && !first.events.includes(event.type)) {
      const others = this.#conditions.some(({ events, isNot }) => !isNot && events.includes(event.type))
      const begins = `only ${first.events.join(' or ')} begins something (${first.stage})`
      return others ? `nothing was under way that it takes further, and ${begins}` : begins
    }
    const because = this.#false(first, event)
    return because === undefined ? `it did not become a ${first.stage}` : `no ${first.stage}: ${because}`
  }

  #window(partial: Partial, time: number): string {
    const after = this.#story.events.find(
      ({ event }) => event.time >= time && this.#couldBe(partial, partial.waitsFor, event),
    )
    const until = `the window closed at ${text(time)}`
    if (after === undefined) return `${until}, and no ${list(partial.waitsFor)} came after it either`
    const late = after.event.time - time
    const stage = partial.waitsFor.find((name) => this.#couldBe(partial, [name], after.event)) ?? ''
    return `${until}, ${late === 0 ? 'just' : formatDuration(late)} before ${named(after.event)}, which could have been ${stage}`
  }

  /** Whether an event has the type of one of the stages, and what of its condition can be told holds. */
  #couldBe({ taken }: Partial, stages: readonly string[], event: StoredEvent): boolean {
    return this.#conditions.some((condition) => {
      if (condition.isNot || !stages.includes(condition.stage)) return false
      if (condition.events.length > 0 && !condition.events.includes(event.type)) return false
      if (condition.where === undefined) return true
      return explainCondition(condition.where, event, this.#story.key, this.#stages, taken).holds !== false
    })
  }

  #false({ where }: WrittenCondition, event: StoredEvent, taken?: Partial['taken']): string | undefined {
    if (where === undefined) return undefined
    const { holds, because } = explainCondition(where, event, this.#story.key, this.#stages, taken)
    return holds === false ? because.join('; ') : undefined
  }
}

/** An event for people: its type and where it is stored. */
export function named({ type, sequence }: StoredEvent): string {
  return `${type} (sequence ${sequence})`
}

function between({ taken, waitsFor }: Partial): string {
  const last = taken.at(-1)?.stage
  if (last === undefined) return ''
  return waitsFor.length === 0 ? ` after ${last}` : ` between ${last} and ${list(waitsFor)}`
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'event' : names.join(' or ')
}

/** Whether a reason is worth more to a reader than another: what was forbidden says more than a window that closed. */
export function weight({ kind }: EndReason): number {
  return { bound: 4, forbidden: 3, 'not-next': 2, window: 1, skipped: 0 }[kind]
}
