// Whether all that one schema lets somebody write is taken by another that somebody reads with. Written means what is
// stored: what the writer's own schema put out, so that an object which is neither strict nor loose has no fields beyond
// those that it names. Schemas that contain themselves are compared by coinduction: a pair that is being compared is
// taken for readable below itself (Amadio and Cardelli, Subtyping Recursive Types, 1993).
//   EC1  no difference means that every datum written under the one is read by the other
import { difference, MOST_DIFFERENCES, shown, type Difference } from './difference.js'
import { readList, readObject, type Below } from './read-composite.js'
import { readLiteral, readNumber, readString } from './read-scalar.js'
import { canonicalText, resolveReference, type SchemaNode } from './schema-node.js'
import { shapesOf, type ObjectShape, type Shape, type Shapes } from './shapes.js'

const MOST_STEPS = 20_000
const MOST_REFERENCES = 20
/** An object is taken apart by a field with at most so many values. */
const MOST_VALUES = 64

/**
 * Where something may be written that is not read. Empty: all that is written under the one is read under the other.
 * What cannot be decided counts as a difference, of the kind `undecided`.
 */
export function compareSchemas(written: SchemaNode, read: SchemaNode): readonly Difference[] {
  return new Comparison(written, read).of(written, read).slice(0, MOST_DIFFERENCES)
}

class Comparison implements Below {
  readonly #written: SchemaNode
  readonly #read: SchemaNode
  readonly #sameRoots: boolean
  /** Pairs that are being compared, outermost first. */
  readonly #within: (readonly [SchemaNode, SchemaNode])[] = []
  #steps = 0

  constructor(written: SchemaNode, read: SchemaNode) {
    this.#written = written
    this.#read = read
    this.#sameRoots = canonicalText(written) === canonicalText(read)
  }

  compare(written: SchemaNode, read: SchemaNode): readonly Difference[] {
    return this.of(written, read)
  }

  of(one: SchemaNode, other: SchemaNode): readonly Difference[] {
    const [written, read] = [followed(this.#written, one), followed(this.#read, other)]
    if (this.#same(written, read) || this.#within.some((pair) => pair[0] === written && pair[1] === read)) return []
    if ((this.#steps += 1) > MOST_STEPS) return difference('undecided', [], 'the schemas are too large to compare')
    this.#within.push([written, read])
    const found = this.#ofShapes(shapesOf(this.#written, written).shapes, shapesOf(this.#read, read))
    this.#within.pop()
    return found
  }

  readShapes(node: SchemaNode): readonly Shape[] {
    return shapesOf(this.#read, node).shapes
  }

  isNever(node: SchemaNode): boolean {
    return shapesOf(this.#written, node).shapes.length === 0
  }

  #same(written: SchemaNode, read: SchemaNode): boolean {
    const text = canonicalText(written)
    return text === canonicalText(read) && (this.#sameRoots || !text.includes('"$ref"'))
  }

  #ofShapes(written: readonly Shape[], read: Shapes): readonly Difference[] {
    const found = written.map((shape) => ({ shape, differences: this.#ofShape(shape, read) }))
    const values = found.filter(({ shape, differences }) => shape.kind === 'literal' && differences.length > 0)
    const missing = values.flatMap(({ shape }) => (shape.kind === 'literal' ? [shown(shape.value)] : []))
    const isPlain = values.every(({ differences }) =>
      differences.every(({ kind }) => kind === 'value' || kind === 'type'),
    )
    if (missing.length > 1 && isPlain) {
      const others = found.filter(({ shape }) => shape.kind !== 'literal').flatMap(({ differences }) => differences)
      return [...difference('value', [], `${missing.join(', ')} may be written and are not read`), ...others]
    }
    return found.flatMap(({ differences }) => differences)
  }

  #ofShape(shape: Shape, { shapes, exclusive }: Shapes): readonly Difference[] {
    if (shape.kind === 'opaque') return difference('undecided', [], `what is written has ${shape.why}`)
    let best: readonly Difference[] | undefined
    for (const [at, candidate] of shapes.entries()) {
      const differences = this.#pair(shape, candidate)
      if (differences.length === 0) {
        const others = shapes.filter((_, other) => other !== at)
        if (!exclusive || others.every((other) => this.#disjoint(shape, other))) return []
        best = difference('undecided', [], 'more than one variant may take it, and exactly one has to')
        break
      }
      if (best === undefined || rank(differences) < rank(best)) best = differences
    }
    const parts = shape.kind === 'object' && shapes.length > 1 ? this.#split(shape) : undefined
    if (parts !== undefined) return parts.flatMap((part) => this.#ofShape(part, { shapes, exclusive }))
    const name = shape.kind === 'object' ? this.#variantName(shape, shapes) : undefined
    if (name !== undefined && shape.kind === 'object') {
      const values = this.#valuesOf(this.#written, shape.properties[name])?.map(shown).join(', ')
      return difference('variant', [name], `${values} may be written, and nothing that is read has it`)
    }
    return best ?? difference('type', [], `${nameOf(shape)} may be written, nothing is read`)
  }

  /** An object as one for each value of a field that tells variants apart. */
  #split(shape: ObjectShape & Shape): readonly (ObjectShape & Shape)[] | undefined {
    for (const name of shape.required) {
      const values = this.#valuesOf(this.#written, shape.properties[name])
      if (values === undefined || values.length < 2 || values.length > MOST_VALUES) continue
      return values.map((value) => ({ ...shape, properties: { ...shape.properties, [name]: { const: value } } }))
    }
    return undefined
  }

  #valuesOf(root: SchemaNode, node: SchemaNode | undefined): readonly unknown[] | undefined {
    if (node === undefined) return undefined
    const { shapes } = shapesOf(root, node)
    return shapes.every((shape) => shape.kind === 'literal') ? shapes.map((shape) => shape.value) : undefined
  }

  #disjoint(written: Shape, read: Shape): boolean {
    const [one, other] = [typeOf(written), typeOf(read)]
    if (one === undefined || other === undefined) return false
    if (one !== other) return true
    if (written.kind === 'literal' && read.kind === 'literal') return written.value !== read.value
    if (written.kind !== 'object' || read.kind !== 'object') return false
    return [...written.required].some((name) => this.#tellsApart(name, written, read))
  }

  /** The field that says which variant it is, where no variant that is read has its value. */
  #variantName(written: ObjectShape, shapes: readonly Shape[]): string | undefined {
    const isOther = (name: string, shape: Shape): boolean =>
      shape.kind === 'object' && this.#tellsApart(name, written, shape)
    return [...written.required].find((name) => shapes.length > 0 && shapes.every((shape) => isOther(name, shape)))
  }

  #tellsApart(name: string, written: ObjectShape, read: ObjectShape): boolean {
    const left = this.#valuesOf(this.#written, written.properties[name])
    const right = this.#valuesOf(this.#read, read.properties[name])
    return left !== undefined && right !== undefined && !left.some((value) => right.includes(value))
  }

  #pair(written: Shape, read: Shape): readonly Difference[] {
    if (read.kind === 'opaque') return difference('undecided', [], `what is read has ${read.why}`)
    const unseen = read.checks.filter((check) => !written.checks.includes(check))
    const more = unseen.length > 0 || read.checks.length > written.checks.length
    const found = this.#kinds(written, read)
    if (found.length > 0 || !more) return found
    const checks = unseen.length > 0 ? unseen : read.checks
    return difference(
      'undecided',
      [],
      `reading checks ${checks.join(', ')}, which no schema says; what is written may not pass`,
    )
  }

  #kinds(written: Shape, read: Shape): readonly Difference[] {
    if (read.kind === 'all') return this.#all(written, read.members)
    if (read.kind === 'any') return []
    if (written.kind === 'all') return difference('undecided', [], 'what is written is of several schemas at once')
    if (written.kind === 'literal' && typeOf(written) === typeOf(read)) return readLiteral(written.value, read)
    if (written.kind === 'string' && read.kind === 'string') return readString(written, read)
    if (written.kind === 'number' && read.kind === 'number') return readNumber(written, read)
    if (written.kind === 'object' && read.kind === 'object') return readObject(written, read, this)
    if (written.kind === 'list' && read.kind === 'list') return readList(written, read, this)
    const kind = typeOf(written) === typeOf(read) ? 'value' : 'type'
    return difference(kind, [], `${nameOf(written)} may be written, ${nameOf(read)} is read`)
  }

  /** Defaults of several schemas may contradict each other, so that no datum is read. */
  #all(written: Shape, members: readonly SchemaNode[]): readonly Difference[] {
    if (members.some((member) => /"default":|"\$ref":/.test(canonicalText(member))))
      return difference('undecided', [], 'what is read is of several schemas at once, with defaults')
    return members.flatMap((member) => this.#ofShape(written, shapesOf(this.#read, member)))
  }
}

/** What a reference stands for, so that a schema within itself is the same one. */
function followed(root: SchemaNode, node: SchemaNode): SchemaNode {
  let at = node
  for (let steps = 0; steps < MOST_REFERENCES && at.$ref !== undefined && Object.keys(at).length === 1; steps++)
    at = resolveReference(root, at.$ref) ?? at
  return at
}

/** The nearest of several alternatives is told: one whose differences are deep, and few. */
function rank(differences: readonly Difference[]): number {
  const depth = Math.max(...differences.map(({ path }) => path.length))
  const shallow = differences.some(({ kind, path }) => path.length <= 1 && (kind === 'type' || kind === 'value'))
  return (shallow ? 1_000 : 0) + Math.min(differences.length, 99) * 10 - Math.min(depth, 9)
}

function typeOf(shape: Shape): string | undefined {
  if (shape.kind === 'any' || shape.kind === 'opaque' || shape.kind === 'all') return undefined
  return shape.kind === 'literal' ? (shape.value === null ? 'null' : typeof shape.value) : shape.kind
}

function nameOf(shape: Shape): string {
  if (shape.kind === 'literal') return shown(shape.value)
  if (shape.kind === 'number') return shape.integer ? 'a whole number' : 'a number'
  return {
    any: 'anything',
    string: 'a text',
    object: 'an object',
    list: 'a list',
    all: 'something',
    opaque: 'something',
  }[shape.kind]
}

/** The differences in the order of their places, each once. */
export function sortedDifferences(differences: readonly Difference[]): readonly Difference[] {
  const byText = new Map(differences.map((each) => [`${each.path.join('.')} ${each.kind} ${each.why}`, each]))
  return [...byText.keys()].sort().map((text) => byText.get(text) as Difference)
}
