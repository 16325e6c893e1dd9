// Talks to the account that `millrace dev` runs in this folder: node --import millrace/typescript try.ts ADDRESS
import { connectActors } from 'millrace'
import account from './streams/bank/actors/account.js'
import { Deposit, Withdraw } from './streams/bank/commands.js'
import BANK from './streams/bank/stream.js'

const [server = 'nats://127.0.0.1:4222'] = process.argv.slice(2)
const actors = await connectActors({ server, contexts: [{ stream: BANK, actors: [account] }] })
const accounts = actors.actor(account)

// the same command twice, as after a time-out: it has one effect
for (let attempt = 0; attempt < 2; attempt++) {
  const told = await accounts.tell(Deposit({ accountId: 'ann', amount: 50 }), { id: 'salary-march' })
  console.log(`deposit of 50: ${told.duplicate ? 'was told before' : 'told'}`)
}

for (const amount of [20, 40]) {
  const outcome = await accounts.request(Withdraw({ accountId: 'ann', amount }))
  switch (outcome.kind) {
    case 'accepted':
      console.log(`withdrawal of ${amount}: accepted, version ${outcome.version}`)
      break
    case 'rejected':
      console.log(`withdrawal of ${amount}: rejected, ${outcome.code}: ${outcome.message}`)
      break
    case 'failed':
      console.log(`withdrawal of ${amount}: failed, ${outcome.code}`)
  }
}
await actors.end()
