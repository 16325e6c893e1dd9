// Trees by chance, such as can be compiled.
import * as fc from 'fast-check'
import { traitsOf } from '../../../src/cep/tree/traits.ts'
import type { Tree } from '../../../src/cep/tree/tree.ts'

const ms = fc.constantFrom(1, 2, 3, 5, 8)
const type = fc.constantFrom('A', 'B', 'C')

const filter: fc.Arbitrary<Tree> = fc.record({ type, reads: fc.nat(9) }).map(({ type: name, reads }) => ({
  kind: 'filter',
  events: reads === 8 ? [] : [name],
  tag: name.toLowerCase(),
  // Now and then a condition on what was taken before: `bound[0]` counts the events of tag a.
  ...(reads === 9 ? { where: (_, bound) => (bound[0] as number) % 2 === 1 } : {}),
}))
const leaf = fc.oneof(
  { weight: 6, arbitrary: filter },
  { weight: 1, arbitrary: ms.map((each): Tree => ({ kind: 'interval', ms: each })) },
)

const comesAtOnce = (tree: Tree) => traitsOf(tree).idle === 0

const every = (part: Tree): Tree => ({ kind: 'every', part })

const { tree } = fc.letrec<{ tree: Tree }>((tie) => {
  const parts = fc.array(tie('tree'), { minLength: 2, maxLength: 3 })
  const repeated = tie('tree').filter((part) => !comesAtOnce(part))
  return {
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 3, arbitrary: leaf },
      { weight: 3, arbitrary: parts.map((all): Tree => ({ kind: 'seq', parts: all })) },
      { weight: 2, arbitrary: parts.map((all): Tree => ({ kind: 'and', parts: all })) },
      { weight: 2, arbitrary: parts.map((all): Tree => ({ kind: 'or', parts: all })) },
      { weight: 2, arbitrary: tie('tree').map(every) },
      { weight: 1, arbitrary: tie('tree').map((part): Tree => ({ kind: 'not', part: withLateIntervals(part) })) },
      {
        weight: 2,
        arbitrary: fc
          .record({ part: tie('tree'), ms })
          .map((each): Tree => ({ kind: 'within', ...each, ms: each.ms + BETWEEN })),
      },
      {
        weight: 2,
        arbitrary: fc
          .record({ part: repeated, end: tie('tree'), min: fc.nat(2), more: fc.option(fc.nat(2)) })
          .map(({ part, end, min, more }): Tree => ({
            kind: 'until',
            part,
            end,
            min,
            max: more === null ? null : Math.max(1, min + more),
          })),
      },
      {
        weight: 1,
        arbitrary: fc
          .record({ part: repeated, count: fc.integer({ min: 1, max: 3 }) })
          .map((each): Tree => ({ kind: 'repeat', ...each })),
      },
    ),
  }
})

/**
 * Windows end between the moments at which intervals come: where both are begun at one moment and are over at one moment,
 * the engine lets go first what stands first, and the reference what ends. No promise is made of that (docs/guarantees.md).
 */
const BETWEEN = 0.5
/** So are those that end a `not`: they come at moments of their own, and no few of them together at one of a window. */
const LATE = 0.3

function withLateIntervals(part: Tree): Tree {
  if (part.kind === 'interval') return { ...part, ms: part.ms + LATE }
  if ('parts' in part) return { ...part, parts: part.parts.map(withLateIntervals) }
  if (part.kind === 'until')
    return { ...part, part: withLateIntervals(part.part), end: part.end && withLateIntervals(part.end) }
  return 'part' in part ? { ...part, part: withLateIntervals(part.part) } : part
}

export const randomTree: fc.Arbitrary<Tree> = tree

/** Types and gaps of events; a gap of 0 is an event at the same time. */
export const randomStream = fc.array(fc.record({ type, gap: fc.constantFrom(0, 1, 1, 2, 4) }), {
  minLength: 1,
  maxLength: 12,
})
