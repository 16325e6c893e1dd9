import { FIELD_ATTRIBUTES, isAttributeName, type FieldAttribute } from './attribute-name.js'

const NONE: Readonly<Record<string, string>> = Object.freeze({})
const MOST_PROBLEMS = 20

/**
 * What is read of one message’s attributes, and everything that is wrong with them. It takes every attribute of every
 * message, so fields are slots of an array: a third of the time of a Map by name.
 */
export class AttributeReader {
  readonly problems: string[] = []
  #others: Record<string, string> | undefined
  readonly #fields: (string | undefined)[] = [...EMPTY]

  get(field: FieldAttribute): string | undefined {
    return this.#fields[SLOT[field]]
  }

  /** Attributes that are no fields of an event. */
  get others(): Readonly<Record<string, string>> {
    return this.#others ?? NONE
  }

  /** Keeps the first problems; a message made to have thousands must not fill the dead letters with them. */
  problem(detail: string): void {
    if (this.problems.length < MOST_PROBLEMS) this.problems.push(detail)
  }

  /** Takes a decoded value by the attribute’s name in lower case. */
  put(name: string, value: string): void {
    const slot = SLOTS.get(name)
    if (slot === undefined) this.#putOther(name, value)
    else this.putField(slot, value)
  }

  /** Takes a decoded value by its slot: see slotOfHeader. */
  putField(slot: number, value: string): void {
    if (this.#fields[slot] === undefined) this.#fields[slot] = value
    else this.problem(`${FIELD_ATTRIBUTES[slot]} is there twice`)
  }

  #putOther(name: string, value: string): void {
    const others = (this.#others ??= {})
    if (!isAttributeName(name)) this.problem(`${quoteShort(name)} is no attribute name`)
    else if (Object.hasOwn(others, name)) this.problem(`${quoteShort(name)} is there twice`)
    else others[name] = value
  }
}

/** A text from outside for a message to people: quoted, and no longer than they read. */
export function quoteShort(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)
}

/** The slot of a header such as `ce-id`; undefined for others, and for names that are not in lower case. */
export function slotOfHeader(header: string): number | undefined {
  return HEADER_SLOTS.get(header)
}

const EMPTY = FIELD_ATTRIBUTES.map(() => undefined)
const SLOTS: ReadonlyMap<string, number> = new Map(FIELD_ATTRIBUTES.map((name, slot) => [name, slot]))
const SLOT = Object.fromEntries(SLOTS) as Record<FieldAttribute, number>
const HEADER_SLOTS: ReadonlyMap<string, number> = new Map(FIELD_ATTRIBUTES.map((name, slot) => [`ce-${name}`, slot]))
