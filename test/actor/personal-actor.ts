// An actor with personal values: a parcel, about its receiver.
import { z } from 'zod'
import { close } from '../../src/actor/decision.ts'
import { defineActor } from '../../src/actor/define-actor.ts'
import { defineCommand } from '../../src/actor/define-command.ts'
import { defineEvent } from '../../src/event/contract.ts'

const place = z.object({ street: z.string().nullable(), town: z.string() })
export const Ship = defineCommand('parcel.ship', {
  data: z.object({ parcelId: z.string(), receiver: z.string(), email: z.string(), street: z.string() }),
  key: (data) => data.parcelId,
})
export const Weigh = defineCommand('parcel.weigh', {
  data: z.object({ parcelId: z.string(), grams: z.number() }),
  key: (data) => data.parcelId,
})
export const Deliver = defineCommand('parcel.deliver', {
  data: z.object({ parcelId: z.string() }),
  key: (data) => data.parcelId,
})
export const Shipped = defineEvent('parcel.shipped', {
  data: z.object({ receiver: z.string(), email: z.string().nullable(), address: place }),
})
export const Weighed = defineEvent('parcel.weighed', {
  data: z.object({ grams: z.number(), to: z.string().nullable() }),
})
export const Delivered = defineEvent('parcel.delivered', { data: z.object({}) })

export interface ParcelState {
  readonly email: string | null
  readonly street: string | null
  readonly grams: number
  readonly notes: string
}
const state = z.object({
  email: z.string().nullable(),
  street: z.string().nullable(),
  grams: z.number(),
  notes: z.string(),
})

/** @param notes makes a state that is too large to be carried in a record */
export function parcelActor(notes = '') {
  return defineActor({
    name: 'parcel',
    version: 1,
    state,
    initial: (): ParcelState => ({ email: null, street: null, grams: 0, notes }),
    commands: [Ship, Weigh, Deliver],
    events: [Shipped, Weighed, Delivered],
    decide: {
      'parcel.ship': (_, { data: { receiver, email, street } }) => [
        Shipped({ receiver, email, address: { street, town: 'Ulm' } }),
      ],
      'parcel.weigh': ({ email }, { data: { grams } }) => [Weighed({ grams, to: email })],
      'parcel.deliver': () => [Delivered({}), close()],
    },
    evolve: {
      'parcel.shipped': (before, { data: { email, address } }) => ({ ...before, email, street: address.street }),
      'parcel.weighed': (before, { data: { grams } }) => ({ ...before, grams }),
      'parcel.delivered': (before) => before,
    },
    personal: {
      subject: (_, data) => (data as { receiver?: string }).receiver ?? 'nobody',
      fields: { 'parcel.shipped': ['email', 'address.street'], 'parcel.weighed': ['to'] },
      state: ['email', 'street'],
    },
    snapshot: { every: 2 },
  })
}
