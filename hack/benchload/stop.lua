-- Count replies by status, 202 is v2, and stop after 5000, as the other tools do.
local threads = {}
n, v2 = 0, 0

function setup(thread) table.insert(threads, thread) end

function response(status)
  n = n + 1
  if status == 202 then v2 = v2 + 1 end
  if n == 5000 then wrk.thread:stop() end
end

function done()
  io.write(string.format("VERSIONS %d %d\n", threads[1]:get("n"), threads[1]:get("v2")))
end
