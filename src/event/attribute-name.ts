const LETTERS_AND_DIGITS = /^[a-z0-9]+$/

/** CloudEvents attributes that are fields of an event, and names that the JSON format keeps for data. */
const FIELDS: ReadonlySet<string> = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'time',
  'datacontenttype',
  'data',
  'dataversion',
  'partitionkey',
  'correlationid',
  'causationid',
])

/** Whether a name follows CloudEvents 1.0, “naming conventions”: lower-case letters and digits, and not `data`. */
export function isAttributeName(name: string): boolean {
  return LETTERS_AND_DIGITS.test(name) && name !== 'data'
}

/** Whether an attribute is a field of an event, so that it may not stand in `attributes` too. */
export function isFieldAttribute(name: string): boolean {
  return FIELDS.has(name)
}
