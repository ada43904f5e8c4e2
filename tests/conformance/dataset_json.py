"""The JSON values that cases/json.txt speaks of: database 2, of which only Larder knows anything."""

STORE = (
    '{"inventory":{"headphones":['
    '{"id":1,"name":"Cancelling","price":99.98,"wireless":true,"connection":"Bluetooth"},'
    '{"id":2,"name":"Earbuds","price":64.99,"wireless":true,"connection":"Bluetooth"}],'
    '"keyboards":['
    '{"id":3,"name":"Typist","price":29.99,"wireless":false,"connection":"USB-C"}]}}')
EARBUDS = (
    '{"name":"Wireless earbuds","description":"Wireless Bluetooth in-ear headphones",'
    '"connection":{"wireless":true,"type":"Bluetooth"},"price":64.99,"stock":17,'
    '"colors":["black","white"],"max_level":[80,100,120]}')


def records():
    """Documents like those of RedisJSON's examples, and one with all that is special."""
    yield ("doc", "json", '{"a":2,"b":3,"nested":{"a":4,"b":null}}')
    yield ("doc1", "json", '{"a":1,"b":2,"nested":{"a":3},"c":null}')
    yield ("doc2", "json", '{"a":4,"b":5,"nested":{"a":6},"c":null}')
    yield ("keysdoc", "json", '{"a":[3],"nested":{"a":{"b":2,"c":1}}}')
    yield ("typedoc", "json", '{"a":2,"nested":{"a":true},"foo":"bar"}')
    yield ("lendoc", "json", '{"a":"foo","nested":{"a":"hello"},"nested2":{"a":31}}')
    yield ("item:2", "json", EARBUDS)
    yield ("bike", "json", '"Hyperion"')
    yield ("store", "json", STORE)
    yield ("special", "json",
           r'{ "spaced" : [ 1.50 , 1E3 ], "esc\u0061ped":"\u00e9\/\n","o":{},"l":[]}')
    yield ("text", "string", "no JSON")
