import { defineStream } from 'millrace'

export default defineStream({
  name: 'ERRANDS',
  root: 'errands',
  description: 'What the handlers of the soak have to do',
  partitions: 4,
})
