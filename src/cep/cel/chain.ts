import type { ASTNode } from '@marcbachmann/cel-js'

export interface Chain {
  readonly root: ASTNode & { op: 'id' | 'call' }
  readonly path: readonly string[]
}

/** A path of names from a variable, or from `first(stage)` or `last(stage)`. */
export function chainOf(node: ASTNode): Chain | null {
  const path: string[] = []
  let at = node
  while (at.op === '.') {
    path.unshift(at.args[1])
    at = at.args[0]
  }
  if (path.length === 0) return null
  if (at.op === 'id') return { root: at, path }
  return at.op === 'call' && (at.args[0] === 'first' || at.args[0] === 'last') ? { root: at, path } : null
}
