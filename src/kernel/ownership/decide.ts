import { assignUnits, type Unit } from './assign.js'
import type { GroupView, UnitRecord } from './group-view.js'

/** What a member has in hand of one unit, from the wish to take it until it is given back. */
export interface InHand {
  /** Sequence of the record that names this member; 0 while there is none that it knows of. */
  readonly sequence: number
  /** It is being taken: the record is on its way. */
  readonly taking: boolean
  /** It is being stopped and given back. That is not undone, whatever changes meanwhile. */
  readonly leaving: boolean
}

/** What one member is, beside what the log says of it. */
export interface Standing {
  readonly id: string
  /** Units that it can run. */
  readonly units: ReadonlyMap<string, Unit>
  readonly inHand: ReadonlyMap<string, InHand>
  /** It takes units: it is not leaving, was not just stopped for long, and hears itself. */
  readonly takes: boolean
  /** It gives units up so that others have as many: nobody has come just now. */
  readonly evens: boolean
}

/** Why a unit is given back. */
export type DrainReason = 'moved' | 'paused' | 'not-declared' | 'leaving'

export type Action =
  | { readonly kind: 'take'; readonly unit: Unit; readonly expected: number }
  | { readonly kind: 'drain'; readonly unit: string; readonly reason: DrainReason }
  /** Somebody else holds it by now: stop it, and leave the record alone. */
  | { readonly kind: 'lose'; readonly unit: string }
  /** The record is gone, with its stream: say again who holds it. */
  | { readonly kind: 'say-again'; readonly unit: string }
  /** A record names this member, which has nothing in hand: of a write whose outcome was not known. */
  | { readonly kind: 'give-back'; readonly unit: string; readonly expected: number }

/**
 * What a member has to do now. Pure, and about the whole situation, not about a change: what was missed or done by halves
 * is made good the next time.
 */
export function decide(view: GroupView, self: Standing): Action[] {
  const runnable = view.units.filter(({ processor }) => !view.paused.has(processor))
  const target = assignUnits(candidates(view, self), runnable, owners(view, self))
  const actions: Action[] = []
  for (const [unit, held] of self.inHand) {
    const action = onHeld(view, self, unit, held, target.get(unit))
    if (action !== undefined) actions.push(action)
  }
  for (const [id, member] of target) {
    const unit = self.units.get(id)
    if (member !== self.id || unit === undefined || self.inHand.has(id) || !self.takes) continue
    const record = view.records.get(id)
    if (isFree(view, self, record)) actions.push({ kind: 'take', unit, expected: record?.sequence ?? 0 })
  }
  for (const [unit, { owner, sequence }] of view.records)
    if (owner === self.id && !self.inHand.has(unit) && (target.get(unit) !== self.id || !self.units.has(unit)))
      actions.push({ kind: 'give-back', unit, expected: sequence })
  return actions
}

/** Its own units count as they are now, not as it offered them when the log was last heard. */
function candidates(view: GroupView, self: Standing): { id: string; units: { has(unit: string): boolean } }[] {
  return view.candidates.map((member) => (member.id === self.id ? { id: self.id, units: self.units } : member))
}

/** Who holds what, as far as it may stay so. */
function owners(view: GroupView, self: Standing): Map<string, string> {
  const found = new Map<string, string>()
  for (const [unit, { owner }] of view.records)
    if (owner !== null && owner !== self.id && view.isAlive(owner)) found.set(unit, owner)
  for (const [unit, { leaving }] of self.inHand) {
    if (leaving) found.delete(unit)
    else if (!found.has(unit)) found.set(unit, self.id)
  }
  return found
}

function onHeld(
  view: GroupView,
  self: Standing,
  unit: string,
  held: InHand,
  target: string | undefined,
): Action | undefined {
  const record = view.records.get(unit)
  if (!held.taking) {
    if (record === undefined) return held.leaving ? undefined : { kind: 'say-again', unit }
    const own = record.owner === self.id || (record.owner === null && held.leaving)
    if (!own && record.sequence > held.sequence) return { kind: 'lose', unit }
  }
  if (held.leaving) return undefined
  const declared = self.units.get(unit)
  if (declared === undefined) return { kind: 'drain', unit, reason: 'not-declared' }
  if (view.paused.has(declared.processor)) return { kind: 'drain', unit, reason: 'paused' }
  if (target !== undefined && target !== self.id && self.evens) return { kind: 'drain', unit, reason: 'moved' }
  return undefined
}

function isFree(view: GroupView, self: Standing, record: UnitRecord | undefined): boolean {
  return record === undefined || record.owner === null || record.owner === self.id || !view.mayHold(record.owner)
}
