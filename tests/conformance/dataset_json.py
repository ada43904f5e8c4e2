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
# Like the documents of RedisJSON's own tests (tests/pytest/test.py).
REDISJSON_TESTS = {
    "basic":
        '{"string":"string value","none":null,"bool":true,"int":42,"num":4.2,'
        '"arr":[42,null,-1.2,false,["sub","array"],{"subdict":true}],'
        '"dict":{"a":1,"b":"2","c":null}}',
    "types":
        '{"null":null,"boolean":false,"integer":42,"number":1.2,"string":"str","object":{},'
        '"array":[]}',
    "descend":
        '{"n":42,"s":"42","arr":[{"n":44},"s",{"n":{"a":1,"b":2}},'
        '{"n2":{"x":3.02,"n":["to","be","kept",4],"y":4.91}},null]}',
    "unions": '{"a":[1,2,3],"b":["c","d","e"],"c":"k"}',
    "filters": '{"a":{"x":{"i":10}},"b":{"x":{"i":20,"j":5}}}',
    "brackets": '{"f1":{"f2":[0,{"f.]$.f":1},0]}}',
    "deepfirst": '{"x":[{"tm":[1,"j"]}],"tm":[46,876.85],"nu":null}',
    "codes": '[{"code":"1"},{"code":"2"}]',
    "numbers": '[1,2,3,1512060373.222988]',
}


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
    for name, document in REDISJSON_TESTS.items():
        yield (name, "json", document)
    yield ("text", "string", "no JSON")
