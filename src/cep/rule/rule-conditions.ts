import { isMap, isScalar, isSeq, parseDocument, type Node, type Pair } from 'yaml'

/** A condition as it is written in a rule. */
export interface WrittenCondition {
  /** Of the stage; `not` for what must not come. */
  readonly stage: string
  readonly isNot: boolean
  readonly events: readonly string[]
  /** CEL; undefined: any event of these types. */
  readonly where: string | undefined
}

/** Deeper nesting is no rule. */
const DEEPEST = 30

/**
 * The conditions of a rule file, in the order in which they are written: for explanations. A file that is no rule has
 * none; it has been read by parseRule before.
 */
export function writtenConditions(text: string): WrittenCondition[] {
  const document = parseDocument(text, { prettyErrors: false })
  const conditions: WrittenCondition[] = []
  const root = document.contents as Node | null
  if (document.errors.length > 0 || !isMap(root)) return conditions
  for (const { key, value } of root.items as Pair[])
    if (isScalar(key) && (key.value === 'sequence' || key.value === 'pattern'))
      walk(value as Node | null, [], conditions)
  return conditions
}

/** A mapping with `event` is a condition; it is called by the nearest name above it. */
function walk(node: Node | null, path: readonly string[], conditions: WrittenCondition[]): void {
  if (path.length > DEEPEST) return
  if (isSeq(node)) for (const item of node.items as Node[]) walk(item, path, conditions)
  if (!isMap(node)) return
  const event = node.get('event', true) as Node | undefined
  if (event !== undefined && (isScalar(event) || isSeq(event))) {
    const where = node.get('where')
    conditions.push({
      stage: path.at(-1) ?? '',
      isNot: path.some((name) => name === 'not' || name === 'notNext' || name === 'notFollowedBy'),
      events: isSeq(event) ? (event.items as Node[]).map(textOf) : [textOf(event)],
      where: typeof where === 'string' ? where.trim() : typeof where === 'boolean' ? String(where) : undefined,
    })
  }
  for (const { key, value } of node.items as Pair[])
    if (isScalar(key)) walk(value as Node | null, [...path, String(key.value)], conditions)
}

function textOf(node: Node): string {
  return isScalar(node) ? String(node.value) : ''
}
