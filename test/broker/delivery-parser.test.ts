import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DeliveryParser, type Delivery } from '../../src/broker/delivery-parser.ts'

const test = suite('reading the protocol')

/** An operation of the server: its bytes, and what a taker of subscription 7 or 12 gets of it. */
interface Operation {
  readonly bytes: Buffer
  readonly taken: string | undefined
}

const word = fc.stringMatching(/^[!-~]{1,12}$/)
const message = fc
  .record({
    subject: word,
    sid: fc.constantFrom(1, 7, 12, 71, 127),
    reply: fc.option(word),
    headers: fc.option(fc.constantFrom('NATS/1.0\r\n\r\n', 'NATS/1.0 100 Idle\r\na: b\r\n\r\n')),
    payload: fc.oneof(
      fc.constantFrom('', 'PING\r\n', 'MSG a 7 3\r\nabc\r\n', '\r\n'),
      fc.string({ maxLength: 30 }),
      fc.string({ minLength: 200, maxLength: 400 }),
    ),
  })
  .map(({ subject, sid, reply, headers, payload }): Operation => {
    const data = Buffer.from(payload)
    const before = Buffer.from(headers ?? '')
    const sizes = headers === null ? `${data.length}` : `${before.length} ${before.length + data.length}`
    const line = `${headers === null ? '' : 'H'}MSG ${subject} ${sid} ${reply === null ? '' : `${reply} `}${sizes}\r\n`
    return {
      bytes: Buffer.concat([Buffer.from(line), before, data, Buffer.from('\r\n')]),
      taken:
        sid === 7 || sid === 12
          ? JSON.stringify([sid, subject, reply ?? '', headers ?? '', data.toString()])
          : undefined,
    }
  })
const other = fc
  .constantFrom('PING\r\n', 'PONG\r\n', '+OK\r\n', "-ERR 'Slow Consumer'\r\n", 'INFO {"max_payload":1048576}\r\n')
  .map((text): Operation => ({ bytes: Buffer.from(text), taken: undefined }))
const operations = fc.array(fc.oneof({ weight: 4, arbitrary: message }, other), { maxLength: 12 })

function taking(sid: number, into: string[]) {
  return ({ frame, subject, subjectEnd, reply, replyEnd, headers, data, end }: Delivery) => {
    const text = (from: number, to: number) => frame.toString('utf8', from, to)
    into.push(
      JSON.stringify([sid, text(subject, subjectEnd), text(reply, replyEnd), text(headers, data), text(data, end)]),
    )
  }
}

test('takers get their messages, the client gets all other bytes in order, wherever frames are cut', () => {
  fc.assert(
    fc.property(operations, fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }), (all, cuts) => {
      const taken: string[] = []
      const passed: Buffer[] = []
      const parser = new DeliveryParser(
        { parse: (frame) => void passed.push(Buffer.from(frame)) },
        new Map([7, 12].map((sid) => [sid, taking(sid, taken)])),
      )
      const bytes = Buffer.concat(all.map((operation) => operation.bytes))
      for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
        const size = cuts[cut % cuts.length] as number
        parser.parse(new Uint8Array(bytes.subarray(at, at + size)))
        at += size
      }
      assert.equal(
        taken,
        all.flatMap(({ taken: text }) => text ?? []),
      )
      const rest = all.filter(({ taken: text }) => text === undefined).map((operation) => operation.bytes)
      assert.is(Buffer.concat(passed).toString(), Buffer.concat(rest).toString())
    }),
    { numRuns: 2_000 },
  )
})

test('who stops taking in the middle of a frame leaves the rest of it to the client', () => {
  const passed: string[] = []
  const takers = new Map([[7, () => void takers.delete(7)]])
  const parser = new DeliveryParser({ parse: (frame) => void passed.push(Buffer.from(frame).toString()) }, takers)
  parser.parse(Buffer.from('MSG a 7 1\r\nx\r\nMSG b 7 1\r\ny\r\n'))
  assert.equal(passed, ['MSG b 7 1\r\ny\r\n'])
})

test('what is no protocol goes to the client, which says so', () => {
  const passed: string[] = []
  const parser = new DeliveryParser({ parse: (frame) => void passed.push(Buffer.from(frame).toString()) }, new Map())
  for (const text of ['HTTP/1.1 400\r\n', 'MSG\r\n', 'MSG a b c\r\n', 'HMSG a 7 9 3\r\n', '\r\n'])
    parser.parse(Buffer.from(text))
  assert.is(passed.join(''), 'HTTP/1.1 400\r\nMSG\r\nMSG a b c\r\nHMSG a 7 9 3\r\n\r\n')
})

test.run()
