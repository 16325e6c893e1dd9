import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { isFault } from '../../src/error/millrace-error.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { nearestName } from '../../src/event/nearest-name.ts'
import { createRegistry } from '../../src/event/registry.ts'

const test = suite('registry')
const Authorized = defineEvent('payment.authorized', { data: z.object({ n: z.number() }), key: (data) => `${data.n}` })
const Verified = defineEvent('card.verified', { data: z.object({ card: z.string() }) })

test('finds contracts by type', () => {
  const registry = createRegistry([Authorized, Verified, Authorized])
  assert.is(registry.get('payment.authorized'), Authorized)
  assert.is(registry.get('payment'), undefined)
  assert.equal(registry.types, ['payment.authorized', 'card.verified'])
  assert.is(registry.contracts.length, 2)
})

test('two contracts of one type are refused', () => {
  const again = defineEvent('card.verified', { data: z.object({ card: z.string() }) })
  assert.throws(
    () => createRegistry([Verified, again]),
    (error: unknown) => isFault(error, 'CONTRACT_DUPLICATE') && error.detail === 'card.verified',
  )
})

test('names the type that was most likely meant', () => {
  const registry = createRegistry([Authorized, Verified])
  assert.is(registry.nearest('payment.authorised'), 'payment.authorized')
  assert.is(registry.nearest('card.verifeid'), 'card.verified')
  assert.is(registry.nearest('order.placed'), undefined)
  assert.is(registry.nearest(''), undefined)
  assert.is(nearestName('ab', ['ba']), undefined, 'of two letters none may change')
  assert.is(nearestName('amuont', ['account', 'amount']), 'amount', 'a swap is one change')
})

test.run()
