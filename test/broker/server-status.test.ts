import { headers, type Msg } from '@nats-io/transport-node'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { deliveryOf } from '../../src/broker/deliveries.ts'
import type { Delivery } from '../../src/broker/delivery-parser.ts'
import { isNoResponders, readStatus } from '../../src/broker/server-status.ts'

const test = suite('what the server says of a subject')

function delivered(block: string, payload = ''): Delivery {
  const frame = Buffer.from(`s${block}${payload}`)
  const data = 1 + block.length
  return { frame, subject: 0, subjectEnd: 1, reply: 1, replyEnd: 1, headers: 1, data, end: data + payload.length }
}

test('P1 that nobody takes it is told from what somebody else answers without payload', () => {
  assert.is(isNoResponders(delivered('NATS/1.0 503\r\n\r\n')), true)
  assert.is(isNoResponders(delivered('NATS/1.0 503 No Responders\r\n\r\n')), true)
  const others = ['', 'NATS/1.0\r\nX-Seen: 1\r\n\r\n', 'NATS/1.0 408 Request Timeout\r\n\r\n', 'NATS/1.0\r\n\r\n']
  for (const block of others) assert.is(isNoResponders(delivered(block)), false, block)
  assert.is(isNoResponders(delivered('NATS/1.0 503\r\n\r\n', '{"stream":"S","seq":1}')), false)
})

test('a message that the client has read says the same', () => {
  const message = (of: Msg['headers']): Delivery =>
    deliveryOf({ subject: 's', data: new Uint8Array(), headers: of } as unknown as Msg)
  assert.is(isNoResponders(message(headers(503, 'No Responders'))), true)
  const seen = headers()
  seen.set('X-Seen', '1')
  assert.is(isNoResponders(message(seen)), false)
  assert.is(isNoResponders(message(undefined)), false)
  const status = readStatus(message(headers(408, 'Request Timeout')))
  assert.equal([status.code, status.detail], [408, 'Request Timeout'])
})

test.run()
