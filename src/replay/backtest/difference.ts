import { endIdentity, matchIdentity } from './identity.js'
import type { FoundMatch } from './found-match.js'

/** Where two rules, or a rule and what it emitted live, differ. `here` is the rule that is tried. */
export interface Difference<Item = FoundMatch> {
  /** The same events of the same key. */
  readonly common: number
  /** Both found something that ends at the same event, but not the same. */
  readonly otherwise: number
  readonly onlyHere: number
  readonly onlyThere: number
  readonly examples: {
    readonly otherwise: readonly { readonly here: Item; readonly there: Item }[]
    readonly onlyHere: readonly Item[]
    readonly onlyThere: readonly Item[]
  }
}

/** Most of each kind of difference that are shown. */
export const MOST_EXAMPLES = 20
/** Most unpaired matches of one side that are kept whole. */
const MOST_KEPT = 10_000

interface Side {
  /** By identity, what the other side does not have yet; undefined for what is not kept whole. */
  readonly open: Map<string, (FoundMatch | undefined)[]>
  kept: number
}

/** Pairs what two rules find while they read the same events. What both find at once is not kept. */
export class MatchPairs {
  readonly #here: Side = { open: new Map(), kept: 0 }
  readonly #there: Side = { open: new Map(), kept: 0 }
  #common = 0

  here(found: FoundMatch): void {
    this.#note(found, this.#here, this.#there)
  }

  there(found: FoundMatch): void {
    this.#note(found, this.#there, this.#here)
  }

  finish(): Difference {
    const here = whole(this.#here)
    const there = whole(this.#there)
    const { pairs, left, right } = pairUp(here, there, ({ match }) => endIdentity(match))
    return {
      common: this.#common,
      otherwise: pairs.length,
      onlyHere: left.length + beyond(this.#here),
      onlyThere: right.length + beyond(this.#there),
      examples: {
        otherwise: pairs.slice(0, MOST_EXAMPLES).map(([one, other]) => ({ here: one, there: other })),
        onlyHere: left.slice(0, MOST_EXAMPLES),
        onlyThere: right.slice(0, MOST_EXAMPLES),
      },
    }
  }

  #note(found: FoundMatch, own: Side, other: Side): void {
    const identity = matchIdentity(found.match)
    const waiting = other.open.get(identity)
    if (waiting !== undefined) {
      if (waiting.pop() !== undefined) other.kept -= 1
      if (waiting.length === 0) other.open.delete(identity)
      this.#common += 1
      return
    }
    const keep = own.kept < MOST_KEPT
    if (keep) own.kept += 1
    const list = own.open.get(identity)
    if (list === undefined) own.open.set(identity, [keep ? found : undefined])
    else list.push(keep ? found : undefined)
  }
}

function whole({ open }: Side): FoundMatch[] {
  return [...open.values()].flat().filter((found) => found !== undefined)
}

function beyond({ open, kept }: Side): number {
  return [...open.values()].reduce((sum, list) => sum + list.length, 0) - kept
}

/** Pairs the items of two lists that have the same name, in their order. */
export function pairUp<Item, Other>(
  here: readonly Item[],
  there: readonly Other[],
  nameOf: (item: Item | Other) => string,
): { readonly pairs: [Item, Other][]; readonly left: Item[]; readonly right: Other[] } {
  const waiting = new Map<string, Other[]>()
  for (const other of there) {
    const list = waiting.get(nameOf(other))
    if (list === undefined) waiting.set(nameOf(other), [other])
    else list.push(other)
  }
  const pairs: [Item, Other][] = []
  const left: Item[] = []
  for (const item of here) {
    const other = waiting.get(nameOf(item))?.shift()
    if (other === undefined) left.push(item)
    else pairs.push([item, other])
  }
  return { pairs, left, right: [...waiting.values()].flat() }
}
