import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { delayOf } from '../../src/delivery/backoff.ts'
import { addressesOf, isPublic, readAllowed } from '../../src/edge/webhook/webhook-address.ts'
import { openGate } from '../../src/delivery/gate.ts'
import { EndpointGate } from '../../src/edge/webhook/endpoint-gate.ts'
import { defineWebhook } from '../../src/edge/webhook/define-webhook.ts'
import { readRetryAfter } from '../../src/edge/webhook/open-webhook.ts'
import { readSecret, signedHeaders } from '../../src/edge/webhook/webhook-signature.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { Asked } from '../delivery/running-handlers.ts'
import { settled, VirtualClock } from '../support/virtual-clock.ts'

const test = suite('webhooks: pure')
const OPTIONS = { name: 'w', on: { stream: 'S', events: [Asked] as [typeof Asked] }, secrets: ['S'] }

const code = (work: () => unknown): string => {
  try {
    work()
    return 'none'
  } catch (error) {
    return isFault(error) ? `${error.code}: ${error.detail}` : String(error)
  }
}

test('SK2 no address of this machine, of a private network or of a group is public, in no spelling', () => {
  const refused = [
    '0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '127.255.255.254', '169.254.169.254', '172.16.0.1',
    '172.31.255.255', '192.0.0.8', '192.168.1.1', '198.18.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255',
    '::', '::1', '::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '::ffff:192.168.0.1', '::127.0.0.1', 'fe80::1', 'fec0::1',
    'fc00::1', 'fd12::1', 'ff02::1', '64:ff9b::7f00:1', '64:ff9b:1::1', '100::1', '2001::1', '2001:db8::1',
    '2002:7f00:1::', '3fff::1', '5f00::1',
  ] // prettier-ignore
  const accepted = [
    '1.1.1.1',
    '172.15.255.255',
    '172.32.0.1',
    '192.167.1.1',
    '223.255.255.255',
    '2606:4700::1111',
    '::ffff:8.8.8.8',
  ]
  const of = (address: string) => ({ address, family: address.includes(':') ? (6 as const) : (4 as const) })
  assert.equal(
    refused.filter((address) => isPublic(of(address))),
    [],
  )
  assert.equal(
    accepted.filter((address) => !isPublic(of(address))),
    [],
  )
})

test('SK2 a number or a bracket for a host is looked at as the address that it is', async () => {
  const none = readAllowed('w', [])
  const never = () => Promise.reject(new Error('a literal is not looked up'))
  for (const host of ['2130706433', '0x7f.1', '0177.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '127.1'])
    assert.match(
      await addressesOf(new URL(`https://${host}/`), none, never).then(String, (error: Error) => error.message),
      /WEBHOOK_ADDRESS_REFUSED|private|may not/,
      host,
    )
  assert.is((await addressesOf(new URL('https://[2606:4700::1111]/'), none, never))[0]?.address, '2606:4700::1111')
  const allowed = readAllowed('w', ['10.0.0.0/8', '::1'])
  assert.is((await addressesOf(new URL('https://10.9.9.9/'), allowed, never)).length, 1)
  assert.is((await addressesOf(new URL('https://[::1]/'), allowed, never)).length, 1)
  assert.match(
    code(() => readAllowed('w', ['10.0.0.0/99'])),
    /WEBHOOK_INVALID/,
  )
})

test('a declaration with a secret in it, a password, or plain HTTP is refused', () => {
  const define = (more: object): string => code(() => defineWebhook({ ...OPTIONS, url: 'https://a.example/', ...more }))
  assert.is(define({}), 'none')
  assert.match(define({ secrets: ['whsec_abc'] }), /WEBHOOK_INVALID.*is a secret/)
  assert.not.match(define({ secrets: ['whsec_abc'] }), /abc/)
  assert.match(define({ secrets: [] }), /secrets is empty/)
  assert.match(define({ url: 'https://user:pass@a.example/' }), /password/)
  assert.match(define({ url: 'http://a.example/' }), /allow.http/)
  assert.match(define({ url: 'ftp://a.example/', allow: { http: true } }), /ftp:/)
  assert.match(define({ url: '/hook' }), /no URL/)
  assert.match(
    code(() => readSecret('S', undefined)),
    /S is not set/,
  )
  assert.match(
    code(() => readSecret('S', 'whsec_dG9vc2hvcnQ=')),
    /has 8 bytes/,
  )
  assert.not.match(
    code(() => readSecret('S', 'whsec_dG9v*')),
    /dG9v/,
  )
})

test('SK1 the signature is that of the specification’s own example', () => {
  // from the text of Standard Webhooks 1.0
  const secret = readSecret('S', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
  const headers = signedHeaders([secret], {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    now: 1_614_265_330_000,
    body: '{"test": 2432232314}',
  })
  assert.is(headers['webhook-signature'], 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

test('the schedule is that of the specification, ten attempts, each up to a tenth later', () => {
  const { recovery } = defineWebhook({ ...OPTIONS, url: 'https://a.example/' }).handler
  assert.is(recovery.kind, 'retry')
  if (recovery.kind !== 'retry') return
  assert.equal([recovery.attempts, recovery.immediate], [10, 0])
  const least = Array.from({ length: 9 }, (_, at) => delayOf(recovery.backoff, at + 1, () => 0) / 1_000)
  assert.equal(least, [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400])
  assert.is(
    delayOf(recovery.backoff, 2, () => 0.999_999),
    329_999,
  )
})

test('SK3 a look that was begun before the endpoint said that it is gone does not open the gate again', async () => {
  const clock = new VirtualClock()
  let answer: (disabled: boolean) => void = () => undefined
  const look = (): Promise<boolean> => new Promise((resolve) => (answer = resolve))
  const gate = new EndpointGate({ clock, look, because: 'gone', next: openGate }, false)
  await clock.pass(1_000)
  gate.close()
  answer(false)
  await settled()
  assert.not(gate.open)
  await clock.pass(1_000)
  answer(false)
  await settled()
  assert.ok(gate.open, 'it was enabled')
  gate.stop()
})

test('what is wrong with the limits of a webhook is told through its gate', () => {
  const trouble = { code: 'DEPENDENCY_STATE_UNSTORED', detail: 'full' } as const
  const look = (): Promise<boolean> => Promise.resolve(false)
  const gate = new EndpointGate(
    { clock: new VirtualClock(), look, because: 'gone', next: { ...openGate, trouble } },
    false,
  )
  assert.equal(gate.trouble, trouble)
  gate.stop()
})

test('Retry-After is seconds or a date, at least a second and at most a day', () => {
  const now = Date.UTC(2026, 0, 1)
  assert.equal(
    ['120', '0', 'Thu, 01 Jan 2026 00:01:00 GMT', 'Thu, 01 Jan 2025 00:01:00 GMT', '99999999', 'soon', undefined].map(
      (one) => readRetryAfter(one, now),
    ),
    [120_000, 1_000, 60_000, 1_000, 86_400_000, undefined, undefined],
  )
})

test.run()
