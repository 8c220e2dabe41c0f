"""Tables of GPUs that differ: what they say, and one sentence for what is wrong."""

import pytest

from eplb_opt.errors import FileFormatError
from eplb_opt.io.gpu_file import read_gpus


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("slots,speed\n9,1\n 7 , 0.7 \n\n", {"gpu_slots": [9, 7], "gpu_speeds": ["1", "0.7"]}),
        ("speed\n1\n7/10\n", {"gpu_speeds": ["1", "7/10"]}),
        ('[{"slots": 9, "speed": 1}, {"speed": 0.7, "slots": 7}]', {"gpu_slots": [9, 7], "gpu_speeds": [1, 0.7]}),
        ('[{"slots": 9}, {"slots": 7}]', {"gpu_slots": [9, 7]}),
    ],
)
def test_a_row_for_each_gpu(tmp_path, text, found):
    path = tmp_path / "gpus"
    path.write_text(text)
    assert read_gpus(path) == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("slots,speed\n", "has no header slots,speed with a row for each GPU"),
        ("", "has no header slots,speed with a row for each GPU"),
        ("9,1\n7,0.7\n", "line 1 is '9,1', not a header slots,speed"),
        ("slots,slots\n9,9\n", "line 1 is 'slots,slots', not a header slots,speed"),
        ("slots,speed\n9\n", "line 2 has 1 cells, the header 2"),
        ("[]", "is no list with an object for each GPU"),
        ('{"slots": [9, 7]}', "is no list with an object for each GPU"),
        ("[9, 7]", "GPU 0 is 9, not an object with slots and speed"),
        ('[{"slots": 9}, {"speed": 1}]', "GPU 1 has speed, the first has slots"),
        ('[{"slots": 9, "memory": 80}]', "GPU 0 has 'slots', 'memory', not slots and speed"),
        ("[{}]", "GPU 0 has nothing, not slots and speed"),
        ('[{"slots": 9}', "is not valid JSON"),
    ],
)
def test_a_wrong_table_gets_a_sentence(tmp_path, text, sentence):
    path = tmp_path / "gpus"
    path.write_text(text)
    with pytest.raises(FileFormatError) as error:
        read_gpus(path)
    assert sentence in str(error.value) and str(path) in str(error.value)
