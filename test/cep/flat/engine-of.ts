import type { Advance } from '../../../src/cep/engine/advance.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { EndReason, Partial } from '../../../src/cep/engine/partial.ts'
import { compilePattern } from '../../../src/cep/flat/compile-pattern.ts'
import type { Pattern, Stage } from '../../../src/cep/pattern/pattern.ts'
import { storedEvent } from '../stored-event.ts'

/** A stage that takes events of the type that it is named after. */
export const take = (name: string, more: object = {}): Stage => ({ kind: 'take', name, events: [name], ...more })
export const not = (name: string, contiguity: 'strict' | 'relaxed' = 'relaxed', more: object = {}): Stage => ({
  kind: 'not',
  events: [name],
  contiguity,
  ...more,
})

/** An engine that is told events written as type@time. */
export function engineOf(pattern: Pattern) {
  const ended: { readonly partial: Partial; readonly reason: EndReason; readonly time: number }[] = []
  const engine = createEngine(compilePattern(pattern), undefined, {
    ended: (partial, reason, time) => ended.push({ partial, reason, time }),
  })
  const send = (text: string, key = 'k', data: unknown = {}): Advance => {
    const [type = '', time] = text.split('@')
    return engine.advance({ kind: 'event', key, event: storedEvent({ type, id: text, time: Number(time), data }) })
  }
  return {
    engine,
    ended,
    send,
    /** The events of every match that a list of events brings. */
    found: (list: string): string[] => list.split(' ').flatMap((text) => ids(send(text).matches)),
    pass: (time: number): Advance => engine.advance({ kind: 'time', time }),
  }
}

/** The events of each match or timeout. */
export const ids = (found: readonly { readonly events: readonly { readonly id: string }[] }[]): string[] =>
  found.map(({ events }) => events.map(({ id }) => id).join(' '))
