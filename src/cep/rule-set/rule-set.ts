import { fault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import type { Advance, EngineStats } from '../engine/advance.js'
import { RuleAtWork, type RuleState } from '../rule/rule-at-work.js'
import type { Rule } from '../rule/rule.js'
import { isSomething, passStoredAlone, type Failure, type Found } from './found.js'
import { commonOf, Lane } from './lane.js'
import { onlyOf, type Member } from './member.js'
import { SharedConditions } from './shared-conditions.js'

/** What one event or the passing of time brought for one rule, in order. */
export interface RuleFindings {
  readonly rule: Rule
  readonly advances: readonly Advance[]
  /** What it came to afterwards: it is no more in the set. What it found with the input that it failed at is lost. */
  readonly failure?: Failure & { readonly stats: EngineStats }
}

const NOTHING: readonly RuleFindings[] = []

/** Rules that go through the stream together, or one that goes alone because it must be shown every event. */
type Part = Lane | Member

interface Entry {
  readonly member: Member
  readonly texts: readonly string[]
  part: Part
}

/**
 * All rules of one stream in one pass. What a rule finds does not depend on the others: it is what it would find alone.
 * What it costs depends on the rules that an event can touch, not on how many there are (see `Lane`), and a condition
 * that several rules have is evaluated once per event.
 *
 * A rule that throws, as at a bound whose policy is `fail`, leaves the set; the others go on as if it had not been there.
 */
export class RuleSet {
  readonly #rules = new Map<string, Entry>()
  readonly #byType = new Map<string, Part[]>()
  readonly #lanes = new Map<string, Lane[]>()
  readonly #alone = new Set<Member>()
  readonly #conditions = new SharedConditions()
  #order = 0

  /**
   * @param state of the same rule, to go on from
   * @throws DECLARATION_INVALID when a rule of this name is there; SNAPSHOT_MISMATCH when the state is of another
   */
  add(rule: Rule, state?: RuleState): void {
    if (this.#rules.has(rule.name)) throw fault('DECLARATION_INVALID', `two rules are named ${rule.name}`)
    const texts: string[] = []
    const executable =
      rule.executable.withConditions?.((matcher) => this.#conditions.share(matcher, texts)) ?? rule.executable
    let work: RuleAtWork
    try {
      work = new RuleAtWork(rule, state, undefined, executable)
    } catch (error) {
      this.#conditions.release(texts)
      throw error
    }
    const { begins } = executable
    const only = onlyOf(executable.concerns)
    const seen = { events: 0, raised: 0, withoutKey: 0, ahead: 0 }
    const member = { order: this.#order++, work, begins, only, seen, wakeAt: Infinity, dueAt: Infinity, chosenFor: 0 }
    this.#rules.set(rule.name, { member, texts, part: this.#place(member) })
  }

  /** Takes a rule out, with its state; undefined when there is none of this name. */
  remove(name: string): RuleState | undefined {
    return this.#takeOut(name)?.work.state()
  }

  /** Takes a stored event; findings are in the order in which the rules were added. */
  take(event: StoredEvent): readonly RuleFindings[] {
    if (!this.#byType.has(event.type)) return NOTHING
    const found: Found[] = []
    for (const part of this.#byType.get(event.type) ?? []) passStored(part, event.storedAt, found)
    if (found.length > 0) this.#followTime(found)
    const parts = this.#byType.get(event.type) ?? []
    for (const part of parts) take(part, event, found)
    this.#dropFailed(found)
    if (this.#lanesApart > 0) this.#join(parts)
    return found.length === 0 ? NOTHING : findingsOf(found)
  }

  /** The stream's own time, in ms, has come to `storedAt`: what is due, ends. */
  passStored(storedAt: number): readonly RuleFindings[] {
    const found: Found[] = []
    for (const lanes of this.#lanes.values()) for (const lane of lanes) lane.passStored(storedAt, found)
    for (const member of this.#alone) passStored(member, storedAt, found)
    if (found.length > 0) this.#followTime(found)
    return found.length === 0 ? NOTHING : findingsOf(found)
  }

  /** When the stream's own time has come to this, in ms, something ends; Infinity: nothing waits for time. */
  get due(): number {
    let due = Infinity
    for (const lanes of this.#lanes.values()) for (const lane of lanes) due = Math.min(due, lane.due)
    for (const { work } of this.#alone) due = Math.min(due, work.due)
    return due
  }

  get rules(): readonly Rule[] {
    return Array.from(this.#rules.values(), ({ member }) => member.work.rule)
  }

  /** A rule as it is now. It goes on with the set, not by itself. */
  get(name: string): RuleAtWork | undefined {
    const entry = this.#rules.get(name)
    if (entry?.part instanceof Lane) entry.part.tell(entry.member)
    return entry?.member.work
  }

  stats(name: string): EngineStats | undefined {
    return this.get(name)?.stats()
  }

  #takeOut(name: string): Member | undefined {
    const entry = this.#rules.get(name)
    if (entry === undefined) return undefined
    this.#rules.delete(name)
    this.#displace(entry)
    this.#conditions.release(entry.texts)
    return entry.member
  }

  #dropFailed(found: readonly Found[]): void {
    for (const { member, failure } of found) if (failure !== undefined) this.#takeOut(member.work.rule.name)
  }

  get #lanesApart(): number {
    let apart = 0
    for (const lanes of this.#lanes.values()) apart += lanes.length - 1
    return apart
  }

  #place(member: Member): Part {
    const common = commonOf(member.work.rule)
    const { engine } = member.work
    if (common === undefined || member.begins === undefined || engine.wakes === -Infinity) {
      this.#alone.add(member)
      this.#list(member, member)
      return member
    }
    const lanes = this.#lanes.get(common) ?? []
    let lane = lanes.find((each) => each.isAt(member))
    if (lane === undefined) {
      lane = new Lane(common, member)
      this.#lanes.set(common, [...lanes, lane])
      this.#list(lane, member)
    }
    lane.add(member)
    return lane
  }

  #displace({ member, part }: Entry): void {
    if (part instanceof Lane) {
      part.remove(member)
      if (part.members.size === 0) this.#close(part, member)
    } else {
      this.#alone.delete(member)
      this.#unlist(member, member)
    }
  }

  #close(lane: Lane, { work }: Pick<Member, 'work'>): void {
    const lanes = (this.#lanes.get(lane.common) ?? []).filter((other) => other !== lane)
    if (lanes.length === 0) this.#lanes.delete(lane.common)
    else this.#lanes.set(lane.common, lanes)
    this.#unlist(lane, { work })
  }

  #list(part: Part, { work }: Member): void {
    for (const type of work.rule.eventTypes) this.#byType.set(type, [...(this.#byType.get(type) ?? []), part])
  }

  #unlist(part: Part, { work }: Pick<Member, 'work'>): void {
    for (const type of work.rule.eventTypes) {
      const left = (this.#byType.get(type) ?? []).filter((other) => other !== part)
      if (left.length === 0) this.#byType.delete(type)
      else this.#byType.set(type, left)
    }
  }

  /** Who ended something is at the time of that, and no longer at that of its lane. */
  #followTime(found: readonly Found[]): void {
    this.#dropFailed(found)
    for (const { member } of found) {
      const entry = this.#rules.get(member.work.rule.name)
      if (!(entry?.part instanceof Lane) || entry.part.isAt(member)) continue
      this.#displace(entry)
      entry.part = this.#place(member)
    }
  }

  /** Lanes of one kind that have come to the same time become one. */
  #join(parts: readonly Part[]): void {
    for (const lane of parts) {
      if (!(lane instanceof Lane) || lane.members.size === 0) continue
      for (const other of this.#lanes.get(lane.common) ?? []) {
        if (other === lane || !lane.isWith(other)) continue
        const [any] = other.members
        for (const { work } of other.members) {
          const entry = this.#rules.get(work.rule.name)
          if (entry !== undefined) entry.part = lane
        }
        lane.takeOver(other)
        if (any !== undefined) this.#close(other, any)
      }
    }
  }
}

function take(part: Part, event: StoredEvent, found: Found[]): void {
  if (part instanceof Lane) return part.take(event, found)
  try {
    found.push({ member: part, advances: part.work.take(event) })
  } catch (error) {
    found.push({ member: part, advances: [], failure: { error } })
  }
}

function passStored(part: Part, storedAt: number, found: Found[]): void {
  if (part instanceof Lane) return part.passStored(storedAt, found)
  found.push(passStoredAlone(part, storedAt))
}

/** By rule, in the order in which they were added. */
function findingsOf(found: Found[]): readonly RuleFindings[] {
  if (found.length > 1) found.sort((a, b) => a.member.order - b.member.order)
  const findings: { rule: Rule; advances: Advance[]; failure?: Failure & { stats: EngineStats } }[] = []
  let before: Member | undefined
  for (const { member, advances, failure: failed } of found) {
    const some = advances.filter(isSomething)
    if (some.length === 0 && failed === undefined) continue
    let last = member === before ? findings.at(-1) : undefined
    if (last === undefined) findings.push((last = { rule: member.work.rule, advances: [] }))
    last.advances.push(...some)
    if (failed !== undefined) last.failure = { ...failed, stats: member.work.stats() }
    before = member
  }
  return findings
}
