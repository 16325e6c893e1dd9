/** One place of a state that an event has changed. */
export type StateChange =
  | { readonly kind: 'added'; readonly path: string; readonly after: unknown }
  | { readonly kind: 'removed'; readonly path: string; readonly before: unknown }
  | { readonly kind: 'changed'; readonly path: string; readonly before: unknown; readonly after: unknown }

/**
 * What is different in a state, by dotted path, as deep as both have objects or lists at it. A list is compared place by
 * place.
 */
export function stateChanges(before: unknown, after: unknown): readonly StateChange[] {
  const changes: StateChange[] = []
  compare('', before, after, changes)
  return changes
}

function compare(path: string, before: unknown, after: unknown, changes: StateChange[]): void {
  if (Object.is(before, after)) return
  if (!isBranch(before) || !isBranch(after) || Array.isArray(before) !== Array.isArray(after)) {
    if (before === undefined) changes.push({ kind: 'added', path, after })
    else if (after === undefined) changes.push({ kind: 'removed', path, before })
    else changes.push({ kind: 'changed', path, before, after })
    return
  }
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const inner = Array.isArray(before) || Array.isArray(after) ? `${path}[${name}]` : join(path, name)
    compare(inner, valueAt(before, name), valueAt(after, name), changes)
  }
}

const PLAIN_NAME = /^[A-Za-z_$][\w$]*$/

function join(path: string, name: string): string {
  if (!PLAIN_NAME.test(name)) return `${path}[${JSON.stringify(name)}]`
  return path === '' ? name : `${path}.${name}`
}

function valueAt(branch: object, name: string): unknown {
  return Object.hasOwn(branch, name) ? (branch as Record<string, unknown>)[name] : undefined
}

function isBranch(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
