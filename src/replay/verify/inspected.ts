import type { Logic, Processor } from '../../kernel/processor.js'
import { findNotPlain } from '../../pipeline/keyed/plain-data.js'

/** Told of something in a state that JSON does not bring back. @param of what of the state, such as `key "c1"` */
export type OnNotPlain = (of: string, why: string) => void

/** The same processor, whose state is looked at before it becomes JSON. */
export function inspected(processor: Processor, onNotPlain: OnNotPlain): Processor {
  return { ...processor, start: (memory, onBroken) => watch(processor.start(memory, onBroken), onNotPlain) }
}

function watch(logic: Logic, onNotPlain: OnNotPlain): Logic {
  const look = (of: string, value: unknown): void => {
    const found = value === undefined ? undefined : findNotPlain(value)
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
