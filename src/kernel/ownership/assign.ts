import { FNV_OFFSET } from '../hash.js'

/** What one member runs at a time: a processor, or one partition of it. */
export interface Unit {
  /** Such as `pipeline-velocity-3`. Letters, digits, _ and -. */
  readonly id: string
  /** The processor that it is a part of: all its units are paused and resumed together. */
  readonly processor: string
}

/** A member that may be given units. */
export interface Candidate {
  readonly id: string
  /** Ids of the units that it can run. */
  readonly units: { has(unit: string): boolean }
}

/**
 * Says which member should run each unit. A pure function of what it is given, in whatever order: members that see the
 * same come to the same result without talking about it.
 *
 * Units that the same members can run are spread over them so that their numbers differ by one at most, and as many as
 * that allows stay where they are. Which ones move is decided by rendezvous hashing (Thaler and Ravishankar 1998), the
 * units of one processor going to different members first, for they tend to have the same load.
 * @param owners who holds a unit now; a unit that is not there, or held by somebody who is no candidate, is free to go
 *   anywhere
 * @returns unit to member; a unit that no member can run is left out
 */
export function assignUnits(
  members: readonly Candidate[],
  units: readonly Unit[],
  owners: ReadonlyMap<string, string>,
): Map<string, string> {
  const assigned = new Map<string, string>()
  const load = new Map(members.map(({ id }) => [id, 0]))
  for (const { eligible, units: own } of kinds(members, units)) {
    const shares = share(eligible, own, owners, load)
    for (const { member, kept } of shares) {
      load.set(member, (load.get(member) ?? 0) + kept.length)
      for (const { id } of kept) assigned.set(id, member)
    }
  }
  return assigned
}

interface Kind {
  readonly eligible: readonly string[]
  readonly units: Unit[]
}

/** Units by who can run them; those that most members can run first. As a rule there is one kind. */
function kinds(members: readonly Candidate[], units: readonly Unit[]): Kind[] {
  const sorted = [...members].sort((one, other) => (one.id < other.id ? -1 : 1))
  const found = new Map<string, Kind>()
  for (const unit of units) {
    const eligible = sorted.filter((member) => member.units.has(unit.id)).map(({ id }) => id)
    if (eligible.length === 0) continue
    const key = eligible.join(' ')
    const kind = found.get(key)
    if (kind === undefined) found.set(key, { eligible, units: [unit] })
    else kind.units.push(unit)
  }
  return [...found]
    .sort(([one, a], [other, b]) => b.eligible.length - a.eligible.length || (one < other ? -1 : 1))
    .map(([, kind]) => kind)
}

interface Share {
  readonly member: string
  kept: Unit[]
  room: number
  /** How many of the kept units each processor has. */
  readonly perProcessor: Map<string, number>
}

function share(
  eligible: readonly string[],
  units: readonly Unit[],
  owners: ReadonlyMap<string, string>,
  load: ReadonlyMap<string, number>,
): Share[] {
  const shares = new Map(
    eligible.map((member): [string, Share] => [member, { member, kept: [], room: 0, perProcessor: new Map() }]),
  )
  const free: Unit[] = []
  for (const unit of units) {
    const owner = shares.get(owners.get(unit.id) ?? '')
    if (owner === undefined) free.push(unit)
    else keep(owner, unit)
  }
  const least = Math.floor(units.length / eligible.length)
  // one more for those who have more already, so that fewer move; else for those who have less of other kinds
  const order = [...shares.values()].sort(
    (one, other) =>
      Number(other.kept.length > least) - Number(one.kept.length > least) ||
      (load.get(one.member) ?? 0) - (load.get(other.member) ?? 0) ||
      byHash(one.member, other.member, ''),
  )
  for (const [at, one] of order.entries()) {
    const quota = least + (at < units.length % eligible.length ? 1 : 0)
    free.push(...giveUp(one, one.kept.length - quota))
    one.room = quota - one.kept.length
  }
  for (const unit of free.sort((one, other) => byHash(one.id, other.id, ''))) place(order, unit)
  return order
}

function keep(share: Share, unit: Unit): void {
  share.kept.push(unit)
  share.perProcessor.set(unit.processor, (share.perProcessor.get(unit.processor) ?? 0) + 1)
}

/** Takes `count` units from a share, each from the processor that has most in it. */
function giveUp(share: Share, count: number): Unit[] {
  if (count <= 0) return []
  const given = new Set<Unit>()
  const sorted = [...share.kept].sort((one, other) => byHash(one.id, other.id, share.member))
  while (given.size < count) {
    const most = Math.max(...share.perProcessor.values())
    const unit = sorted.find((one) => !given.has(one) && share.perProcessor.get(one.processor) === most)
    if (unit === undefined) break
    share.perProcessor.set(unit.processor, most - 1)
    given.add(unit)
  }
  share.kept = share.kept.filter((unit) => !given.has(unit))
  return [...given]
}

function place(shares: readonly Share[], unit: Unit): void {
  const worth = (one: Share, other: Share): number =>
    (one.perProcessor.get(unit.processor) ?? 0) - (other.perProcessor.get(unit.processor) ?? 0) ||
    other.room - one.room ||
    byHash(other.member, one.member, unit.id)
  const best = shares.filter(({ room }) => room > 0).reduce((one, other) => (worth(one, other) <= 0 ? one : other))
  keep(best, unit)
  best.room -= 1
}

/** An order of names that is another one for each `salt`. */
function byHash(one: string, other: string, salt: string): number {
  const salted = hashOf(salt)
  return mix(hashOf(one) ^ salted) - mix(hashOf(other) ^ salted) || (one < other ? -1 : 1)
}

const hashes = new Map<string, number>()

/** FNV-1a over a name, which is ASCII. The same names come again and again. */
function hashOf(name: string): number {
  let value = hashes.get(name)
  if (value !== undefined) return value
  value = FNV_OFFSET
  for (let at = 0; at < name.length; at++) value = Math.imul(value ^ name.charCodeAt(at), 0x01000193)
  value = mix(value)
  if (hashes.size > 10_000) hashes.clear()
  hashes.set(name, value)
  return value
}

/** FNV alone leaves the upper bits of short, similar names alike; the finalizer of MurmurHash3 spreads them. */
function mix(hash: number): number {
  let value = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
