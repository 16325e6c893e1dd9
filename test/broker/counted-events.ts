// Events that count, for tests of publishing.
import { z } from 'zod'
import { defineEvent } from '../../src/event/contract.ts'
import type { EventDraft } from '../../src/event/event.ts'

const data = z.object({ n: z.number(), text: z.string().optional() })
export const Counted = defineEvent('number.counted', { data, key: ({ n }) => `k${n % 7}` })
export const Unknown = defineEvent('number.unknown', { data })

export function counted(numbers: readonly number[]): EventDraft[] {
  return numbers.map((n) => Counted({ n }, { id: `counted-${n}` }))
}
