const LETTERS_AND_DIGITS = /^[a-z0-9]+$/

/** The CloudEvents attributes that are fields of an event. */
export const FIELD_ATTRIBUTES = [
  'specversion',
  'id',
  'source',
  'type',
  'time',
  'datacontenttype',
  'dataversion',
  'partitionkey',
  'correlationid',
  'causationid',
] as const

export type FieldAttribute = (typeof FIELD_ATTRIBUTES)[number]

const FIELDS: ReadonlySet<string> = new Set(FIELD_ATTRIBUTES)

/** Whether a name follows CloudEvents 1.0, “naming conventions”: lower-case letters and digits, and not `data`. */
export function isAttributeName(name: string): boolean {
  return LETTERS_AND_DIGITS.test(name) && name !== 'data'
}

/** Whether an attribute is a field of an event, so that it may not stand in `attributes` too. */
export function isFieldAttribute(name: string): boolean {
  return FIELDS.has(name)
}
