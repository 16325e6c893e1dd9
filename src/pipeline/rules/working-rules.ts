// WorkingRules
//
// The rules of a processor, as they are at one place of the log, with their states. What they find is a function of the
// events and changes that they were given, in order.
//
// Invariants (tests cite them):
//   RL1  A change takes effect between two events: the one before it is seen by the former revision, the one after it by
//        the new one, and none by neither.
//   RL2  What becomes of what the former revision has begun is what the change says: nothing is dropped unsaid.
import type { Match } from '../../cep/engine/match.js'
import type { RuleState } from '../../cep/rule/rule-at-work.js'
import { RuleSet, type RuleFindings } from '../../cep/rule-set/rule-set.js'
import type { Rule } from '../../cep/rule/rule.js'
import { isFault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import type { Registry } from '../../event/registry.js'
import { ruleVersion } from '../rule-version.js'
import { Drainings } from './drainings.js'
import { readRule } from './read-rule.js'
import type { RuleChange } from './rule-change.js'
import type { RuleEntry, RulesState } from './rule-entry.js'
import type { RuleRemarks } from './rule-remarks.js'

/** @param revision under which it was found; null for a rule that is a part of the code */
export type TakeMatch = (rule: Rule, match: Match, revision: number | null) => void

export interface WorkingRulesOptions {
  readonly registry: Registry
  /** Rules that are a part of the code. */
  readonly fixed: readonly Rule[]
  readonly remarks: RuleRemarks
  /** Sequence up to which other code has worked; undefined: this code has. */
  readonly until: number | undefined
}

type Put = Extract<RuleChange, { kind: 'put' }>

export class WorkingRules {
  readonly #options: WorkingRulesOptions
  readonly #set = new RuleSet()
  readonly #entries = new Map<string, RuleEntry>()
  readonly #drainings: Drainings
  /** Rules that are others in this code than in the one before it: they begin behind what that one has worked on. */
  #later: string[] = []
  #types: ReadonlySet<string> | undefined

  /** @param state of the same processor, to go on from */
  constructor(options: WorkingRulesOptions, state?: Pick<RulesState, 'rules' | 'draining'>) {
    this.#options = options
    this.#drainings = new Drainings(options, state?.draining ?? [])
    for (const { state: own, ...entry } of state?.rules ?? [])
      if (entry.text === null) this.#restoreFixed(entry, own)
      else this.#restoreRead({ ...entry, text: entry.text }, own)
    for (const rule of options.fixed) if (!this.#entries.has(rule.name)) this.#addFixed(rule)
  }

  get entries(): ReadonlyMap<string, RuleEntry> {
    return this.#entries
  }

  get set(): Pick<RuleSet, 'stats' | 'get'> {
    return this.#set
  }

  get drainings(): Drainings {
    return this.#drainings
  }

  /** Whether a rule at work reads events of this type. */
  wants(type: string): boolean {
    return (this.#types ??= this.#typesRead()).has(type)
  }

  /** When the stream’s own time has come to this, in ms, something ends; Infinity: nothing waits for time. */
  get due(): number {
    return Math.min(this.#set.due, this.#drainings.due)
  }

  take(event: StoredEvent, onMatch: TakeMatch): void {
    if (this.#later.length > 0 && event.sequence > (this.#options.until ?? 0)) this.#beginLater()
    this.#drainings.take(event, onMatch)
    this.#tell(this.#set.take(event), onMatch)
  }

  /** The stream’s own time, in ms, has come to `storedAt`. */
  passStored(storedAt: number, onMatch: TakeMatch): void {
    if (this.#drainings.passStored(storedAt, onMatch)) this.#types = undefined
    this.#tell(this.#set.passStored(storedAt), onMatch)
  }

  /** @param after sequence of the last event before it */
  apply(change: RuleChange, after: number): void {
    this.#types = undefined
    const old = this.#entries.get(change.name)
    if (old?.revision === null) return this.#options.remarks.inCode(change.name)
    if (change.kind === 'put') this.#put(change, old, after)
    else if (old !== undefined) {
      const partials = this.#partials(old.name)
      this.#stop(old)
      this.#entries.delete(old.name)
      this.#drainings.end(old.name)
      this.#options.remarks.removed(change, after, partials)
    }
  }

  /** Takes out what another bucket does not have. */
  only(names: readonly string[], after: number): void {
    const known = new Set(names)
    for (const { name, revision } of this.#entries.values())
      if (revision !== null && !known.has(name)) this.apply({ kind: 'remove', name, by: '' }, after)
  }

  state(): Pick<RulesState, 'draining'> & { readonly rules: readonly Omit<RulesState['rules'][number], 'counts'>[] } {
    return {
      rules: Array.from(this.#entries.values(), ({ rule: _rule, ...entry }) => ({
        ...entry,
        state: this.#set.get(entry.name)?.state() ?? null,
      })),
      draining: this.#drainings.state(),
    }
  }

  #put(change: Put, old: RuleEntry | undefined, after: number): void {
    const { name, revision, text, paused } = change
    const { remarks, registry } = this.#options
    const read = readRule(name, text, registry)
    if (read.kind === 'problem') {
      remarks.refused(change, read.problem, old?.status !== undefined && old.status !== 'broken')
      const problem = `revision ${revision}: ${read.problem}`
      const none = { name, revision, text, version: null, rule: null, since: after, held: null } as const
      this.#entries.set(name, old === undefined ? { ...none, status: 'broken', problem } : { ...old, problem })
      return
    }
    const same = old?.text === text
    const status = paused ? 'paused' : 'at-work'
    if (same && old?.status === status) {
      this.#entries.set(name, { ...old, revision, problem: null })
      return
    }
    const partials = this.#partials(name)
    const before = old === undefined ? undefined : this.#stop(old)
    const keeps = (same && paused) || change.onChange === 'keep'
    const drains = !keeps && change.onChange === 'drain' && old?.status === 'at-work' && !same && before !== undefined
    if (drains) this.#drainings.begin(old, before, after)
    else if (paused && !same) this.#drainings.end(name)
    const { rule, version } = read
    const entry = { name, revision, text, version, rule, status, since: after, problem: null } as const
    this.#entries.delete(name) // its place is where the set has it
    if (paused) this.#entries.set(name, { ...entry, held: keeps ? (before ?? null) : null })
    else this.#begin({ ...entry, held: null }, keeps ? before : undefined, change.version)
    remarks.switched(change, { after, old, partials: keeps || drains ? 0 : partials })
  }

  /** Starts a rule. @param known its version where the change was taken */
  #begin(entry: RuleEntry, state: RuleState | undefined, known = entry.version): void {
    const { until } = this.#options
    const isOff = entry.rule?.enabled === false
    this.#entries.set(entry.name, isOff ? { ...entry, status: 'paused' } : entry)
    if (isOff) return
    if (until !== undefined && entry.since <= until && known !== entry.version) this.#later.push(entry.name)
    else if (entry.rule !== null) this.#add(entry.rule, state)
  }

  #add(rule: Rule, state: RuleState | undefined): void {
    try {
      this.#set.add(rule, state)
    } catch (error) {
      if (!isFault(error, 'SNAPSHOT_MISMATCH')) throw error
      this.#options.remarks.startsEmpty(rule.name)
      this.#set.add(rule)
    }
  }

  /** Takes a rule out of work. @returns its state */
  #stop({ name, held }: RuleEntry): RuleState | undefined {
    this.#later = this.#later.filter((other) => other !== name)
    return this.#set.remove(name) ?? held ?? undefined
  }

  #tell(findings: readonly RuleFindings[], onMatch: TakeMatch): void {
    for (const { rule, advances } of findings) {
      const revision = this.#entries.get(rule.name)?.revision ?? null
      for (const { matches } of advances) for (const match of matches) onMatch(rule, match, revision)
    }
  }

  #typesRead(): ReadonlySet<string> {
    const types = new Set(this.#drainings.types)
    for (const { rule, status } of this.#entries.values())
      if (status === 'at-work') for (const type of rule?.eventTypes ?? []) types.add(type)
    return types
  }

  /** What is dropped when a rule begins empty: what it has begun, and events that it has not looked at yet. */
  #partials(name: string): number {
    const stats = this.#set.stats(name)
    return stats === undefined ? 0 : stats.partialMatches + stats.waiting
  }

  #restoreFixed(entry: Omit<RuleEntry, 'rule'>, state: RuleState | null): void {
    const rule = this.#options.fixed.find(({ name }) => name === entry.name)
    if (rule === undefined) return this.#options.remarks.gone(entry.name)
    const version = ruleVersion(rule, this.#options.registry)
    this.#restore({ ...entry, rule, version }, entry.version, state)
  }

  #restoreRead(entry: Omit<RuleEntry, 'rule'> & { readonly text: string }, state: RuleState | null): void {
    const read = readRule(entry.name, entry.text, this.#options.registry)
    if (read.kind === 'rule')
      return this.#restore({ ...entry, rule: read.rule, version: read.version }, entry.version, state)
    const { name, revision } = entry
    this.#options.remarks.unreadable(name, revision, read.problem)
    this.#entries.set(name, {
      ...entry,
      rule: null,
      version: null,
      status: 'broken',
      held: null,
      problem: read.problem,
    })
  }

  /** @param version the stored one */
  #restore(entry: RuleEntry, version: string | null, state: RuleState | null): void {
    const { until, remarks } = this.#options
    const same = entry.version === version
    // what could not be read now can, and the text of a rule that is a part of the code says by itself whether it works
    const status = entry.status === 'broken' || entry.revision === null ? 'at-work' : entry.status
    if (!same) remarks.startsEmpty(entry.name)
    const now = { ...entry, status, held: same ? entry.held : null, since: same ? entry.since : (until ?? entry.since) }
    if (status === 'paused') this.#entries.set(entry.name, now)
    else this.#begin(now, same ? (state ?? undefined) : undefined, version)
  }

  #addFixed(rule: Rule): void {
    const { registry, until } = this.#options
    const version = ruleVersion(rule, registry)
    const entry = { name: rule.name, revision: null, text: null, version, rule, held: null, problem: null } as const
    this.#begin({ ...entry, status: 'at-work', since: until ?? 0 }, undefined, until === undefined ? version : null)
  }

  #beginLater(): void {
    for (const name of this.#later) {
      const rule = this.#entries.get(name)?.rule
      if (rule !== undefined && rule !== null) this.#set.add(rule)
    }
    this.#later = []
  }
}
