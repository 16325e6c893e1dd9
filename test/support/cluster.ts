// A cluster of three nodes on this machine, whose nodes a test may kill, pause and start again.
import { connectBroker, type Connection } from '../../src/broker/connection.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { eventually } from './broker.ts'
import { atEnd } from './cleanup.ts'
import { freePorts } from './free-ports.ts'
import { ownServer, type OwnServer } from './nats.ts'

const NODES = ['n1', 'n2', 'n3'] as const
/** Patience: an election takes up to seven seconds, and more beside a busy machine. */
const LIMIT_MS = 60_000

export interface ClusterNode extends OwnServer {
  readonly name: string
}

export interface Cluster {
  readonly nodes: readonly ClusterNode[]
  readonly urls: readonly string[]
  /** A connection that goes from node to node, beginning with the given one; closed after the last suite. */
  connect(first?: ClusterNode): Promise<Connection>
  /** The node that leads a stream now; waits for an election. A node that was just killed may still be named. */
  leaderOf(stream: string): Promise<ClusterNode>
  /** Has a stream’s leader step down; resolves when another node leads. */
  stepDown(stream: string): Promise<void>
  /** Resolves when a stream has a leader and all its replicas are up to date. */
  healthy(stream: string): Promise<void>
}

/**
 * Starts three nodes with temporary stores; resolves when they take requests of JetStream, after two to three seconds.
 * They end, and their stores go, after the last suite of this file.
 * @param config more of nats-server’s own configuration, for each node
 */
export async function startCluster(config = ''): Promise<Cluster> {
  const ports = await freePorts(NODES.length)
  const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(', ')
  // a node alone is not ready: they wait for each other
  const nodes = await Promise.all(
    NODES.map(async (name, at): Promise<ClusterNode> => {
      const cluster = `cluster { name: test, listen: "127.0.0.1:${ports[at]}", routes: [${routes}] }`
      return Object.assign(await ownServer({ config: `server_name: ${name}\n${cluster}\n${config}\n` }), { name })
    }),
  )
  const urls = nodes.map(({ url }) => url)
  const connect = (first?: ClusterNode): Promise<Connection> =>
    connectAny(first === undefined ? urls : [first.url, ...urls.filter((url) => url !== first.url)])
  let observer: Promise<Connection> | undefined
  const info = async (stream: string) => {
    const { manager } = await (observer ??= connect())
    return (await manager.streams.info(stream).catch(noAnswer))?.cluster
  }
  const leaderOf = (stream: string): Promise<ClusterNode> =>
    eventually(
      `a leader of ${stream}`,
      async () => {
        const name = (await info(stream))?.leader
        return nodes.find((node) => node.name === name)
      },
      LIMIT_MS,
    )
  return {
    nodes,
    urls,
    connect,
    leaderOf,
    stepDown: async (stream) => {
      const before = (await leaderOf(stream)).name
      const { nats } = await (observer ??= connect())
      await eventually(
        `another leader of ${stream}`,
        async () => {
          await nats.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`, '', { timeout: 5_000 }).catch(noAnswer)
          return (await leaderOf(stream)).name !== before || undefined
        },
        2 * LIMIT_MS,
      )
    },
    healthy: async (stream) => {
      await eventually(
        `all replicas of ${stream}`,
        async () => {
          const cluster = await info(stream)
          const current = cluster?.replicas?.filter((replica) => replica.current && replica.offline !== true) ?? []
          return cluster?.leader !== undefined && current.length === NODES.length - 1
        },
        LIMIT_MS,
      )
    },
  }
}

async function connectAny(servers: readonly string[]): Promise<Connection> {
  const settings = { servers, auth: { kind: 'none' }, name: 'test', timeout: 5_000, origin: 'test' } as const
  const connection = await eventually(
    'a connection to the cluster',
    () =>
      connectBroker(settings).catch((error: unknown) => {
        if (isFault(error)) return undefined // no leader of the cluster yet, or the node is down
        throw error
      }),
    LIMIT_MS,
  )
  atEnd(() => connection.close())
  return connection
}

/** While there is no leader requests fail, or are not answered. Whoever waits says in the end what is missing. */
function noAnswer(): undefined {
  return undefined
}
