import type { Logic, Processor } from '../../kernel/processor.js'

/** Told of something in a state that JSON does not bring back. @param of what of the state, such as `key "c1"` */
export type OnNotPlain = (of: string, why: string) => void

/** The same processor, whose state is looked at before it becomes JSON. */
export function inspected(processor: Processor, onNotPlain: OnNotPlain): Processor {
  return { ...processor, start: (memory, onBroken) => watch(processor.start(memory, onBroken), onNotPlain) }
}

function watch(logic: Logic, onNotPlain: OnNotPlain): Logic {
  const look = (of: string, value: unknown): void => {
    const found = value === undefined ? undefined : findLost(value, '')
    if (found !== undefined) onNotPlain(found.path === '' ? of : `${of}, ${found.path}`, found.why)
  }
  return new Proxy(logic, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target)
      if (name === 'basis') look('what belongs to every key', member)
      if (typeof member !== 'function') return member
      const method = member as (this: Logic, ...args: unknown[]) => unknown
      if (name !== 'takeChanges') return method.bind(target)
      return () => {
        const changes = method.call(target) as ReturnType<NonNullable<Logic['takeChanges']>>
        for (const { key, value } of changes) look(`key ${JSON.stringify(key)}`, value)
        return changes
      }
    },
  })
}

interface Lost {
  /** JSON pointer. */
  readonly path: string
  readonly why: string
}

/** The first part of a value that JSON changes. A member that is undefined is read as undefined again, and is none. */
function findLost(value: unknown, path: string): Lost | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : { path, why: String(value) }
  if (typeof value !== 'object') return { path, why: value === undefined ? 'undefined' : `a ${typeof value}` }
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null
  if (!Array.isArray(value) && prototype !== null && prototype !== Object.prototype)
    return { path, why: `a ${prototype.constructor?.name ?? 'class of its own'}` }
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined && !Array.isArray(value)) continue
    const found = findLost(member, `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    if (found !== undefined) return found
  }
  return undefined
}
