import type { KeyedPart, Regrouping } from '../../kernel/processor.js'
import { regroup } from '../keyed/regroup.js'
import { Shapes, type StoredOperators } from './key-entry.js'

/**
 * The state of a pipeline in mode `checkpoint` that takes keys over from other units. Each unit has numbered the shapes
 * of operators that it met; here they get numbers of their own.
 * @throws KEYED_STATE_UNREADABLE
 */
export function regroupKeys(regrouping: Regrouping): KeyedPart {
  const shapes = new Shapes()
  const { entries, basis } = regroup(regrouping, (value, part) => {
    const stored = value as StoredOperators
    return { ...stored, p: shapes.numberOf(new Shapes(shapesOf(part)).at(stored.p)) }
  })
  return { entries, basis: basis === null ? null : { ...(basis as object), shapes: shapes.all } }
}

function shapesOf({ basis }: KeyedPart): readonly string[] {
  return (basis as { readonly shapes?: readonly string[] } | null)?.shapes ?? []
}
