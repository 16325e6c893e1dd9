import { drawTime, put, shop, type GeneratedEvent, type Plan } from './generate-plan.ts'
import { drawAmount } from './generate-world.ts'

/** An event that was put in broken, and the code of the error it must end with. */
export interface Broken {
  readonly id: string
  readonly reason: string
  readonly code: 'EVENT_DATA_INVALID' | 'EVENT_TYPE_UNKNOWN' | 'EVENT_VERSION_UNKNOWN'
}

type Break = readonly [reason: string, code: Broken['code'], change: (event: GeneratedEvent) => Partial<GeneratedEvent>]

const withData =
  (change: Record<string, unknown>) =>
  ({ data }: GeneratedEvent): Partial<GeneratedEvent> => ({ data: { ...data, ...change } })

const BREAKS: readonly Break[] = [
  ['amount is missing', 'EVENT_DATA_INVALID', withData({ amount: undefined })],
  ['amount is negative', 'EVENT_DATA_INVALID', withData({ amount: -12.5 })],
  ['amount is text with a decimal comma', 'EVENT_DATA_INVALID', withData({ amount: '12,50' })],
  ['latitude is not on earth', 'EVENT_DATA_INVALID', withData({ latitude: 523.2 })],
  ['channel is unknown', 'EVENT_DATA_INVALID', withData({ channel: 'telex' })],
  ['currency is no ISO 4217 code', 'EVENT_DATA_INVALID', withData({ currency: 'euros' })],
  ['cardId is empty', 'EVENT_DATA_INVALID', withData({ cardId: '' })],
  ['type is misspelt', 'EVENT_TYPE_UNKNOWN', () => ({ type: 'payment.authorised' })],
  ['version is from the future', 'EVENT_VERSION_UNKNOWN', () => ({ dataversion: '9' })],
]

/** Puts payments in that a producer got wrong: each must end as a dead letter, and none may stop anything. */
export function planBroken(plan: Plan, count: number): Broken[] {
  const broken: Broken[] = []
  for (let n = 0; n < count; n++) {
    const [reason, code, change] = BREAKS[n % BREAKS.length] as Break
    const card = plan.world.active(plan.random)
    const merchant = shop(plan, 'groceries', card.home)
    const at = drawTime(plan)
    const event = plan.write.authorized(at, { card, merchant, amount: drawAmount(plan.random, merchant) })
    put(plan, at, { ...event, ...change(event) })
    broken.push({ id: event.id, reason, code })
  }
  return broken
}
