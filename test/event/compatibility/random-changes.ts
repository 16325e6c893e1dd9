// What people do to schemas.
import * as fc from 'fast-check'
import { described, type Described, type Field } from './random-schemas.ts'

/** A description with one place of it changed, which is what people do to schemas. */
export function changed(node: Described): fc.Arbitrary<Described> {
  const [parts, put] = partsOf(node)
  const here = described
  const inside = parts.map((part, at) => changed(part).map((inner) => put(at, inner)))
  return fc.oneof(
    { weight: 1, arbitrary: here },
    { weight: 2, arbitrary: fc.constantFrom(...tweaks(node)) },
    ...inside.map((arbitrary) => ({ weight: 4, arbitrary })),
  )
}

function partsOf(node: Described): [readonly Described[], (at: number, part: Described) => Described] {
  switch (node.of) {
    case 'object': {
      const names = Object.keys(node.fields)
      return [
        names.map((field) => (node.fields[field] as Field).is),
        (at, is) => ({
          ...node,
          fields: { ...node.fields, [names[at] as string]: { ...(node.fields[names[at] as string] as Field), is } },
        }),
      ]
    }
    case 'record':
    case 'list':
      return [[node.each], (_, each) => ({ ...node, each })]
    case 'tuple':
      return [node.items, (at, item) => ({ ...node, items: node.items.with(at, item) })]
    case 'union':
    case 'xor':
      return [node.members, (at, member) => ({ ...node, members: node.members.with(at, member) })]
    case 'both':
      return [[node.left, node.right], (at, part) => (at === 0 ? { ...node, left: part } : { ...node, right: part })]
    case 'nullable':
    case 'refined':
      return [[node.inner], (_, inner) => ({ ...node, inner })]
    default:
      return [[], () => node]
  }
}

function tweaks(node: Described): readonly Described[] {
  const some: Described[] = [
    { of: 'nullable', inner: node },
    { of: 'union', members: [node, { of: 'string' }] },
    { of: 'refined', inner: node },
  ]
  if (node.of === 'string') some.push({ ...node, min: 1 }, { ...node, max: 2 }, { of: 'string' })
  if (node.of === 'number') some.push({ ...node, min: 1 }, { of: 'number' }, { ...node, step: 2 })
  if (node.of === 'values')
    some.push({ ...node, values: [...node.values, 'a', 2] }, { of: 'values', values: node.values.slice(0, 1) })
  if (node.of === 'list') some.push({ ...node, min: 1 }, { of: 'list', each: node.each })
  if (node.of === 'object') {
    const [first, ...rest] = Object.entries(node.fields)
    for (const may of ['be missing', 'default'] as const)
      some.push({ ...node, fields: { ...node.fields, a: { is: { of: 'string' }, may } } })
    some.push(
      { ...node, fields: { ...node.fields, b: { is: { of: 'any' } } } },
      { ...node, others: 'drop' },
      { ...node, others: 'refuse' },
    )
    if (first !== undefined)
      some.push(
        { ...node, fields: Object.fromEntries(rest) },
        { ...node, fields: { ...node.fields, [first[0]]: { is: first[1].is, may: 'be missing' } } },
      )
  }
  if (node.of === 'variants') some.push({ of: 'variants', members: { ...node.members, k3: {} } })
  return some
}
