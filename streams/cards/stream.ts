import { defineStream } from 'millrace'

export default defineStream({
  name: 'CARDS',
  root: 'cards',
  description: 'What was decided about cards, and about suspicions. One key is one aggregate.',
  partitions: 4,
})
