// Recorded readings of machines, published as they are.
import { readFile } from 'node:fs/promises'
import type { Connection } from '../../src/broker/connection.ts'
import { encodeHeaders } from '../../src/broker/headers.ts'

/** Publishes the first lines of the recording in streams/machines. */
export async function publishLines({ nats }: Connection, count: number): Promise<void> {
  const text = await readFile('streams/machines/recordings/cpu-april-2014.ndjson', 'utf8')
  const headers = encodeHeaders([['Content-Type', 'application/cloudevents+json']])
  for (const line of text.split('\n').slice(0, count)) {
    const { partitionkey, type } = JSON.parse(line) as { partitionkey: string; type: string }
    nats.publish(`machines.${partitionkey}.${type}`, line, { headers })
  }
  await nats.flush()
}
