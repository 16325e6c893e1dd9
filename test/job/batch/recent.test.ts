import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { anthropicBatches } from '../../../src/job/batch/anthropic-batches.ts'
import { atEnd } from '../../support/cleanup.ts'

const test = suite('the list of batches')
const [NEWEST, SECOND] = [Date.UTC(2026, 10, 22), 1_000]

/** A provider that has had a batch each second for long. @returns its address */
async function provider(): Promise<string> {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://x')
    const [limit, after] = [Number(searchParams.get('limit')), Number(searchParams.get('after_id') ?? -1)]
    const data = Array.from({ length: limit }, (_, at) => batch(after + 1 + at))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ data, has_more: true, first_id: data[0]?.id, last_id: data.at(-1)?.id }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function batch(at: number) {
  return {
    id: String(at),
    type: 'message_batch',
    created_at: new Date(NEWEST - at * SECOND).toISOString(),
    ended_at: null,
    processing_status: 'in_progress',
    request_counts: { processing: 1, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
  }
}

test('BA5 it is read to the time that is asked for, however many there were since: what is not in it counts as never sent', async () => {
  const client = await anthropicBatches({ apiKey: 'x', baseUrl: await provider() })
  const found = await client.recent(NEWEST - 2_500 * SECOND, new AbortController().signal)
  assert.equal([found.length, found.at(-1)?.id], [2_501, '2500'])
})

test.run()
