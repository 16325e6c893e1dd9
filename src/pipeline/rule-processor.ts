import type { StreamDeclaration } from '../broker/define-stream.js'
import type { Engine } from '../cep/engine/advance.js'
import { createEngine } from '../cep/engine/engine.js'
import type { EngineSnapshot } from '../cep/engine/engine-snapshot.js'
import type { Match } from '../cep/engine/match.js'
import { ruleInput } from '../cep/rule/rule-input.js'
import type { Rule } from '../cep/rule/rule.js'
import { fault } from '../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import type { Registry } from '../event/registry.js'
import type { Logic, Processor } from '../kernel/processor.js'
import { ruleVersion } from './rule-version.js'

const NOTHING: readonly EventDraft[] = []

/** A rule as something that the kernel runs: the engine’s state is the processor’s snapshot, matches are its outputs. */
export function ruleProcessor(
  rule: Rule,
  registry: Registry,
  streams: { readonly from: StreamDeclaration; readonly to: StreamDeclaration },
): Processor {
  return {
    kind: 'rule',
    name: rule.name,
    version: ruleVersion(rule, registry),
    from: { stream: streams.from, types: rule.eventTypes },
    to: { stream: streams.to },
    memory: 'snapshot',
    spread: 'one',
    upgrade: 'cut',
    start: (memory) =>
      new RuleLogic(rule, registry, memory.kind === 'snapshot' ? (memory.state as EngineSnapshot) : undefined),
  }
}

class RuleLogic implements Logic {
  readonly #rule: Rule
  readonly #registry: Registry
  readonly #engine: Engine

  constructor(rule: Rule, registry: Registry, snapshot: EngineSnapshot | undefined) {
    this.#rule = rule
    this.#registry = registry
    this.#engine = createEngine(rule.executable, snapshot)
  }

  turn(event: StoredEvent, onFailure: (error: unknown) => void): readonly EventDraft[] {
    const read = ruleInput(this.#rule, event)
    if (read.kind === 'ahead') {
      onFailure(read.error)
      return NOTHING
    }
    const { matches } = this.#engine.advance(read.input)
    if (matches.length === 0) return NOTHING
    const drafts: EventDraft[] = []
    for (const match of matches)
      try {
        drafts.push(this.#emit(match))
      } catch (error) {
        onFailure(error) // one match whose data cannot be made must not take the others with it
      }
    return drafts
  }

  /** The engine keeps these counts in its snapshot, so they go on over a restart. */
  get notices(): Readonly<Record<string, number>> {
    const { late, releasedEarly, evaluationErrors, dropped, droppedMatches } = this.#engine.stats()
    const byBounds = Object.entries(dropped).map(([what, count]) => [`dropped${capital(what)}`, count] as const)
    const all = { late, releasedEarly, evaluationErrors, ...Object.fromEntries(byBounds), droppedMatches }
    return Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0))
  }

  snapshot(): unknown {
    return this.#engine.snapshot()
  }

  stop(): void {
    // the engine holds nothing but memory
  }

  /** A rule’s data is checked like everyone’s: what does not fit the contract of its event is no event. */
  #emit(match: Match): EventDraft {
    const draft = this.#rule.emit(match)
    const contract = this.#registry.get(draft.type)
    if (contract === undefined) throw fault('OUTPUT_INVALID', `${this.#rule.name}: ${draft.type} has no contract`)
    const checked = contract.check(draft.data, contract.version)
    if (!checked.ok) throw fault('OUTPUT_INVALID', `${this.#rule.name}: ${checked.detail}`, { issues: checked.issues })
    return { ...draft, version: contract.version, data: checked.data, key: draft.key ?? contract.keyOf(checked.data) }
  }
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
