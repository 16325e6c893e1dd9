// A subject source and a webhook for what it stores, which several processes run.
import { captureStream } from '../../src/broker/capture-stream.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { defineSubjectSource } from '../../src/edge/subject/define-subject-source.ts'
import { Asked } from '../delivery/running-handlers.ts'
import { webhook } from './receiving.ts'

export function takenOver(stream: StreamDeclaration, url: string) {
  const events: [typeof Asked] = [Asked]
  const subjects = [`${stream.root}-readings.>`]
  const source = defineSubjectSource({ name: 'taken', to: { stream: stream.name, events }, subjects })
  // what a process had that has ended is free again soon
  const soon = { ackWait: 1_500 }
  const hook = webhook({ stream, work: stream }, { name: 'taken', url, concurrency: 8, ...soon })
  return { source, capture: captureStream({ ...source, stream }), hook }
}
