import type { Matcher } from './pattern.js'

interface Tested {
  readonly bit: number
  readonly matcher: Matcher
}

/** Among so few names, one is found faster by looking at each than by its hash. */
const FEW = 8

/** For each type that a rule sees, the conditions that such an event could satisfy, as bits. */
export class TypeBits {
  readonly #names: string[] = []
  readonly #bits: number[] = []
  /** Those beyond the few. */
  readonly #more = new Map<string, number>()
  /** Of a type that is not named: conditions that name no type. */
  readonly #other: number | undefined

  /** @param seen types that the rule sees beside those that conditions name */
  constructor(conditions: readonly Tested[], seen: readonly string[]) {
    const other = bitsOf(conditions, null)
    this.#other = other === 0 ? undefined : other
    for (const name of new Set([...conditions.flatMap(({ matcher }) => matcher.events), ...seen])) {
      const bits = bitsOf(conditions, name)
      if (this.#names.length === FEW) this.#more.set(name, bits)
      else {
        this.#names.push(name)
        this.#bits.push(bits)
      }
    }
  }

  /** Undefined: the rule does not see events of the type. */
  of(type: string): number | undefined {
    const names = this.#names
    for (let at = 0; at < names.length; at++) if (names[at] === type) return this.#bits[at]
    return this.#more.size === 0 ? this.#other : (this.#more.get(type) ?? this.#other)
  }
}

function bitsOf(conditions: readonly Tested[], type: string | null): number {
  return conditions.reduce((bits, { bit, matcher: { events } }) => {
    const takes = events.length === 0 || (type !== null && events.includes(type))
    return takes ? bits | bit : bits
  }, 0)
}
