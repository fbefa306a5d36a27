-- POST one text per request, another one each time.
local number = 0
local path = os.getenv("EMBED_PATH")
local rest = '"],"model":"voyage-code-3"' .. (os.getenv("EMBED_BASE64") == "1" and ',"encoding_format":"base64"}' or "}")
local headers = {["content-type"] = "application/json", ["authorization"] = "Bearer benchmark"}

request = function()
  number = number + 1
  return wrk.format("POST", path, headers, '{"input":["text ' .. number .. rest)
end
