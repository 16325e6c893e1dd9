import { difference, shown, under, type Difference } from './difference.js'
import { readLiteral } from './read-scalar.js'
import { isNode, type SchemaNode } from './schema-node.js'
import type { ListShape, ObjectShape, Shape } from './shapes.js'

/** What objects and lists need of who compares: two schemas below them, and what one stands for. */
export interface Below {
  compare(written: SchemaNode, read: SchemaNode): readonly Difference[]
  /** Alternatives of a schema of who reads. */
  readShapes(node: SchemaNode): readonly Shape[]
  /** Whether a schema of who writes takes nothing, so that a field of it cannot be there. */
  isNever(node: SchemaNode): boolean
}

/** What of objects that are written is not read. Empty: all are. */
export function readObject(written: ObjectShape, read: ObjectShape, below: Below): readonly Difference[] {
  return [
    ...requiredFields(written, read),
    ...Object.entries(read.properties).flatMap(([name, node]) => readField(name, node, written, below)),
    ...Object.entries(written.properties).flatMap(([name, node]) => readKnown(name, node, written, read, below)),
    ...readOthers(written, read, below),
  ]
}

function requiredFields(written: ObjectShape, read: ObjectShape): readonly Difference[] {
  return [...read.required]
    .filter((name) => !written.required.has(name))
    .flatMap((name) => {
      const known = Object.hasOwn(written.properties, name) || isNode(written.others)
      return difference(
        'required',
        [name],
        `it has to be there to be read, and ${known ? 'may be missing' : 'is not there'} in what is written`,
      )
    })
}

/** A field that the reader describes. */
function readField(name: string, read: SchemaNode, written: ObjectShape, below: Below): readonly Difference[] {
  if (Object.hasOwn(written.properties, name))
    return under(name, below.compare(written.properties[name] as SchemaNode, read))
  if (!isNode(written.others)) return [] // it is never there
  const inner = below.compare(written.others, read)
  if (inner.length === 0) return []
  return difference('open-field', [name], `what is written may have anything of that name: ${inner[0]?.why}`)
}

/** A field that the writer describes and the reader may not. */
function readKnown(
  name: string,
  node: SchemaNode,
  written: ObjectShape,
  read: ObjectShape,
  below: Below,
): readonly Difference[] {
  if (below.isNever(node) && !written.required.has(name)) return []
  const named = readName(name, read, below)
  if (named.length > 0 || Object.hasOwn(read.properties, name) || read.others === 'dropped') return named
  if (read.others === 'refused')
    return difference(
      'field-refused',
      [name],
      'it may be written, and an object with fields that are not known is refused',
    )
  return under(name, below.compare(node, read.others))
}

function readName(name: string, { names }: ObjectShape, below: Below): readonly Difference[] {
  if (names === undefined) return []
  const shapes = below.readShapes(names)
  const taken = shapes.some(
    (shape) => shape.checks.length === 0 && (shape.kind === 'any' || readLiteral(name, shape).length === 0),
  )
  return taken ? [] : difference('field-refused', [name], `the name ${shown(name)} is not one of those that are read`)
}

/** Fields of any name. */
function readOthers(written: ObjectShape, read: ObjectShape, below: Below): readonly Difference[] {
  if (!isNode(written.others)) return []
  const names = namesOf(written, read, below)
  if (names.length > 0) return under('*', names)
  if (read.others === 'dropped') return []
  if (read.others === 'refused')
    return below.isNever(written.others)
      ? []
      : difference(
          'field-refused',
          ['*'],
          'fields of any name may be written, and those that are not known are refused',
        )
  return under('*', below.compare(written.others, read.others))
}

function namesOf(written: ObjectShape, read: ObjectShape, below: Below): readonly Difference[] {
  if (read.names === undefined) return []
  return below.compare(written.names ?? { type: 'string' }, read.names)
}

/** What of lists that are written is not read. Empty: all are. */
export function readList(written: ListShape, read: ListShape, below: Below): readonly Difference[] {
  if (written.min < read.min)
    return difference('limit', [], `at least ${read.min} items are read, ${written.min} may be written`)
  if (written.max > read.max) {
    const most = written.max === Infinity ? 'any number' : written.max
    return difference('limit', [], `at most ${read.max} items are read, ${most} may be written`)
  }
  const differences: Difference[] = []
  const known = Math.max(written.first.length, read.first.length)
  for (let at = 0; at < known && at < written.max; at++) {
    const item = written.first[at] ?? written.rest
    const taken = read.first[at] ?? read.rest
    if (item !== undefined && taken !== undefined) differences.push(...under(String(at), below.compare(item, taken)))
  }
  if (written.rest !== undefined && read.rest !== undefined && written.max > known)
    differences.push(...under('*', below.compare(written.rest, read.rest)))
  return differences
}
