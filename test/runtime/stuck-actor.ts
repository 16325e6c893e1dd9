// A deployment with an actor whose decide never returns for one command.
import { z } from 'zod'
import { defineActor } from '../../src/actor/define-actor.ts'
import { defineCommand } from '../../src/actor/define-command.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { Contracts, withActors } from '../../src/runtime/context-actors.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'

const data = z.object({ id: z.string(), loops: z.boolean() })
const key = ({ id }: { id: string }): string => id
export const Do = defineCommand('stuck.do', { data, key })
const Done = defineEvent('stuck.done', { data, key })

export const stuck = defineActor({
  name: 'stuck',
  version: 1,
  initial: () => 0,
  commands: [Do],
  events: [Done],
  decide: {
    'stuck.do': (_, { data: own }) => {
      while (own.loops);
      return [Done(own)]
    },
  },
  evolve: { 'stuck.done': (count) => count + 1 },
})

export function stuckDeployment(name: string): Deployment {
  const context = withActors(defineStream({ name, root: name.toLowerCase(), partitions: 1 }), [stuck])
  const all = new Contracts()
  all.addActors(context)
  const streams = [context.stream, ...(context.commands === undefined ? [] : [context.commands])]
  const { actors } = context
  return { folder: '', streams, registry: createRegistry(all.all), pipelines: [], rules: [], actors, homes: all.homes }
}
